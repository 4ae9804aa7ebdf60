#include "agent/opener/token_claims.h"

#include <string.h>

#define NOW_S 1800000000

static OrgRoleName role_names[] = {
    {(char *) "doctor",  (char *) "provider" },
    {(char *) "patient", (char *) "client"   },
    {(char *) "records", (char *) "custodian"},
};

static GPtrArray *
list_of(const char *one)
{
    GPtrArray *list = g_ptr_array_new();

    g_ptr_array_add(list, (char *) one);
    return list;
}

/* Borrows; what it holds lives as long as the program. */
static OrgIssuer
issuer_for_test(void)
{
    GPtrArray *roles = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(role_names); i++)
        g_ptr_array_add(roles, &role_names[i]);
    return (OrgIssuer){.issuer = (char *) "https://idp",
                       .audiences = list_of("us"),
                       .subject_claim = (char *) "sub",
                       .role_claim = (char *) "roles",
                       .roles = roles,
                       .acr = list_of("urn:mfa"),
                       .amr = list_of("otp")};
}

static void
issuer_end(OrgIssuer *issuer)
{
    g_ptr_array_unref(issuer->audiences);
    g_ptr_array_unref(issuer->roles);
    g_ptr_array_unref(issuer->acr);
    g_ptr_array_unref(issuer->amr);
}

/* `more`: members behind those of a good token. */
static TokenFault
read_claims(const OrgIssuer *issuer, const char *more, Caller **caller)
{
    g_autofree char *text =
        g_strdup_printf("{\"iss\":\"https://"
                        "idp\",\"aud\":[\"them\",\"us\"],\"sub\":\"anna\",\"iat\":%d,\"exp\":%d%s}",
                        NOW_S - 10, NOW_S + 10, more);
    json_t *claims = json_loads(text, 0, NULL); /* the last of a name counts */
    TokenFault fault = TOKEN_OK;

    g_assert_nonnull(claims);
    *caller = NULL;
    fault = token_claims_read(claims, issuer, "clinic-a", NOW_S, caller);
    json_decref(claims);
    return fault;
}

static void
test_tells_who_it_is(void)
{
    OrgIssuer issuer = issuer_for_test();
    Caller *caller = NULL;

    g_assert_cmpint(
        read_claims(&issuer,
                    ",\"roles\":[\"doctor\",\"cook\"],\"jti\":\"t1\",\"amr\":[\"pwd\",\"otp\"],"
                    "\"auth_time\":1799999999",
                    &caller),
        ==, TOKEN_OK);
    g_assert_cmpstr(caller->id, ==, "https://idp|anna");
    g_assert_cmpstr(caller->subject, ==, "https://idp|anna");
    g_assert_cmpstr(caller->org, ==, "clinic-a");
    g_assert_cmpstr(caller->token_id, ==, "t1");
    g_assert_cmpuint(caller->roles, ==, 1u << ACCESS_ROLE_PROVIDER);
    g_assert_true(caller->has_mfa);
    g_assert_cmpint(caller->mfa_at_us, ==, (int64_t) 1799999999 * G_USEC_PER_SEC);
    g_assert_null(caller->purposes);
    g_assert_false(caller->owns_every_session);
    caller_free(caller);
    issuer_end(&issuer);
}

/* The forms of SMART (fhirUser) and of IHE IUA (codes inside of extensions). */
static void
test_knows_claims_of_health_care(void)
{
    OrgIssuer issuer = issuer_for_test();
    Caller *caller = NULL;

    issuer.subject_claim = (char *) "fhirUser";
    issuer.role_claim = (char *) "extensions.ihe_iua.subject_role";
    issuer.purpose_claim = (char *) "extensions.ihe_iua.purpose_of_use";
    g_assert_cmpint(read_claims(&issuer,
                                ",\"fhirUser\":\"https://fhir.example/r4/Practitioner/"
                                "12\",\"extensions\":{\"ihe_iua\":{"
                                "\"subject_role\":[{\"system\":\"urn:x\",\"code\":\"doctor\"}],"
                                "\"purpose_of_use\":[{\"system\":\"urn:y\",\"code\":\"TREAT\"}]}}",
                                &caller),
                    ==, TOKEN_OK);
    g_assert_cmpstr(caller->subject, ==, "Practitioner/12");
    g_assert_cmpuint(caller->roles, ==, 1u << ACCESS_ROLE_PROVIDER);
    g_assert_true(caller_may_name(caller, "TREAT"));
    g_assert_false(caller_may_name(caller, "BTG"));
    caller_free(caller);
    issuer_end(&issuer);
}

static void
test_refuses_what_does_not_count(void)
{
    static const struct {
        const char *more;
        TokenFault fault;
    } rows[] = {
        {",\"iss\":\"https://evil\"", TOKEN_ISSUER  },
        {",\"aud\":\"them\"",         TOKEN_AUDIENCE},
        {",\"aud\":{\"us\":1}",       TOKEN_AUDIENCE},
        {",\"exp\":1800000000",       TOKEN_EXPIRED },
        {",\"exp\":1799999999",       TOKEN_EXPIRED },
        {",\"exp\":\"1800000099\"",   TOKEN_CLAIMS  },
        {",\"exp\":-1",               TOKEN_CLAIMS  },
        {",\"nbf\":1800000001",       TOKEN_EARLY   },
        {",\"iat\":1800000001",       TOKEN_EARLY   },
        {",\"iat\":null",             TOKEN_CLAIMS  },
        {",\"sub\":7",                TOKEN_CLAIMS  },
        {",\"sub\":\"\"",             TOKEN_CLAIMS  },
        {",\"sub\":\"anna\\n\"",      TOKEN_CLAIMS  },
    };
    OrgIssuer issuer = issuer_for_test();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Caller *caller = NULL;

        if (read_claims(&issuer, rows[i].more, &caller) != rows[i].fault)
            g_error("%s: not %s", rows[i].more, token_fault_text(rows[i].fault));
        g_assert_null(caller);
    }
    issuer_end(&issuer);
}

static void
test_leeway_is_for_clocks_alone(void)
{
    OrgIssuer issuer = issuer_for_test();
    Caller *caller = NULL;

    issuer.leeway_s = 5;
    g_assert_cmpint(read_claims(&issuer, ",\"exp\":1799999996", &caller), ==, TOKEN_OK);
    caller_free(caller);
    g_assert_cmpint(read_claims(&issuer, ",\"exp\":1799999995", &caller), ==, TOKEN_EXPIRED);
    g_assert_cmpint(read_claims(&issuer, ",\"nbf\":1800000006", &caller), ==, TOKEN_EARLY);
    issuer_end(&issuer);
}

static void
test_belongs_to_one_tenant(void)
{
    OrgIssuer issuer = issuer_for_test();
    Caller *caller = NULL;

    issuer.org_claim = (char *) "tenant";
    issuer.org_value = (char *) "a";
    g_assert_cmpint(read_claims(&issuer, "", &caller), ==, TOKEN_ISSUER);
    g_assert_cmpint(read_claims(&issuer, ",\"tenant\":\"b\"", &caller), ==, TOKEN_ISSUER);
    g_assert_cmpint(read_claims(&issuer, ",\"tenant\":\"a\"", &caller), ==, TOKEN_OK);
    caller_free(caller);
    issuer_end(&issuer);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/token_claims/tells-who-it-is", test_tells_who_it_is);
    g_test_add_func("/token_claims/knows-claims-of-health-care", test_knows_claims_of_health_care);
    g_test_add_func("/token_claims/refuses-what-does-not-count", test_refuses_what_does_not_count);
    g_test_add_func("/token_claims/leeway-is-for-clocks-alone", test_leeway_is_for_clocks_alone);
    g_test_add_func("/token_claims/belongs-to-one-tenant", test_belongs_to_one_tenant);
    return g_test_run();
}
