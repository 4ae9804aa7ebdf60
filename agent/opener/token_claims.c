#include "agent/opener/token_claims.h"

#include "agent/rules/org_policy.h"

#include <string.h>

#define MAX_TEXT_BYTES 256

/* By its whole name first: a name may hold dots itself. */
static const json_t *
find(const json_t *claims, const char *name)
{
    const json_t *value = json_object_get(claims, name);
    g_auto(GStrv) steps = NULL;

    if (value != NULL)
        return value;
    steps = g_strsplit(name, ".", 8);
    value = claims;
    for (char **step = steps; *step != NULL && value != NULL; step++)
        value = json_object_get(value, *step);
    return value;
}

/* Returns: NULL also for a text with a NUL, a control character, or too long to be a claim. */
static const char *
text_of(const json_t *value)
{
    const char *text = json_string_value(value);

    if (text == NULL || strlen(text) != json_string_length(value) || *text == '\0' ||
        strlen(text) > MAX_TEXT_BYTES)
        return NULL;
    for (const char *next = text; *next != '\0'; next++) {
        if ((unsigned char) *next < 0x20 || *next == 0x7f)
            return NULL;
    }
    return text;
}

const char *
token_claims_text(const json_t *claims, const char *name)
{
    return text_of(find(claims, name));
}

/* One text; several between spaces; a list of texts; or of codes of an IHE IUA token (`{"system":,
 * "code":}`). */
static void
add_words(GPtrArray *words, const json_t *value)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            const json_t *one = json_array_get(value, i);
            const char *text = text_of(json_is_object(one) ? json_object_get(one, "code") : one);

            if (text != NULL)
                g_ptr_array_add(words, g_strdup(text));
        }
    } else if (text_of(json_is_object(value) ? json_object_get(value, "code") : value) != NULL) {
        const char *text = text_of(json_is_object(value) ? json_object_get(value, "code") : value);
        g_auto(GStrv) split = g_strsplit(text, " ", 64);

        for (char **word = split; *word != NULL; word++)
            g_ptr_array_add(words, g_strdup(*word));
    }
}

static char **
words_of(const json_t *claims, const char *name)
{
    GPtrArray *words = g_ptr_array_new();

    add_words(words, find(claims, name));
    g_ptr_array_add(words, NULL);
    return (char **) g_ptr_array_free(words, FALSE);
}

static bool
has(const GPtrArray *list, const char *text)
{
    return text != NULL &&
           g_ptr_array_find_with_equal_func((GPtrArray *) list, text, g_str_equal, NULL);
}

bool
token_claims_are_of(const json_t *claims, const OrgIssuer *issuer)
{
    return g_strcmp0(token_claims_text(claims, "iss"), issuer->issuer) == 0 &&
           (issuer->org_claim == NULL ||
            g_strcmp0(token_claims_text(claims, issuer->org_claim), issuer->org_value) == 0);
}

static bool
is_for_us(const json_t *claims, const OrgIssuer *issuer)
{
    const json_t *audience = json_object_get(claims, "aud");

    if (json_is_string(audience))
        return has(issuer->audiences, text_of(audience));
    for (size_t i = 0; i < json_array_size(audience); i++) {
        if (has(issuer->audiences, text_of(json_array_get(audience, i))))
            return true;
    }
    return false;
}

/* Times are whole seconds, or nearly: some issuers write fractions. Returns: false if the claim is
 * there and is none; `time_s` 0 if it is not there. */
static bool
read_time(const json_t *claims, const char *name, double *time_s)
{
    const json_t *value = json_object_get(claims, name);

    *time_s = value == NULL ? 0 : json_number_value(value);
    return value == NULL || (json_is_number(value) && *time_s > 0 && *time_s < 1e11);
}

static TokenFault
check_times(const json_t *claims, const OrgIssuer *issuer, int64_t now_s)
{
    const double leeway_s = (double) issuer->leeway_s;
    double expires_s = 0;
    double not_before_s = 0;
    double issued_s = 0;

    if (!read_time(claims, "exp", &expires_s) || !read_time(claims, "nbf", &not_before_s) ||
        !read_time(claims, "iat", &issued_s) || expires_s == 0 || issued_s == 0)
        return TOKEN_CLAIMS;
    if ((double) now_s >= expires_s + leeway_s)
        return TOKEN_EXPIRED;
    if ((double) now_s + leeway_s < not_before_s || (double) now_s + leeway_s < issued_s)
        return TOKEN_EARLY;
    return TOKEN_OK;
}

static unsigned
roles_of(const json_t *claims, const OrgIssuer *issuer)
{
    g_auto(GStrv) values = words_of(claims, issuer->role_claim);
    unsigned roles = 0;

    for (guint i = 0; i < issuer->roles->len; i++) {
        const OrgRoleName *name = issuer->roles->pdata[i];

        if (g_strv_contains((const char *const *) values, name->value))
            roles |= org_policy_role(name->role);
    }
    return roles;
}

/* `https://fhir.example/r4/Practitioner/12` and `Practitioner/12` are one person. Returns: owned.
 */
static char *
subject_of(const json_t *claims, const OrgIssuer *issuer, const char *id)
{
    const char *text = token_claims_text(claims, issuer->subject_claim);
    g_auto(GStrv) steps = NULL;
    unsigned n_steps = 0;

    if (strcmp(issuer->subject_claim, "sub") == 0)
        return g_strdup(id);
    if (text == NULL || strstr(text, "://") == NULL)
        return g_strdup(text);
    steps = g_strsplit(text, "/", -1);
    n_steps = g_strv_length(steps);
    return n_steps < 5 ? g_strdup(text)
                       : g_strconcat(steps[n_steps - 2], "/", steps[n_steps - 1], NULL);
}

static void
read_mfa(Caller *caller, const json_t *claims, const OrgIssuer *issuer)
{
    g_auto(GStrv) methods = words_of(claims, "amr");
    double at_s = 0;

    caller->has_mfa = has(issuer->acr, token_claims_text(claims, "acr"));
    for (char **method = methods; *method != NULL; method++)
        caller->has_mfa |= has(issuer->amr, *method);
    if (read_time(claims, "auth_time", &at_s))
        caller->mfa_at_us = (int64_t) (at_s * G_USEC_PER_SEC);
}

TokenFault
token_claims_read(const json_t *claims, const OrgIssuer *issuer, const char *org, int64_t now_s,
                  Caller **caller)
{
    const char *subject = token_claims_text(claims, "sub");
    g_autoptr(Caller) self = NULL;
    TokenFault fault = TOKEN_OK;

    if (!token_claims_are_of(claims, issuer))
        return TOKEN_ISSUER;
    if (!is_for_us(claims, issuer))
        return TOKEN_AUDIENCE;
    fault = check_times(claims, issuer, now_s);
    if (fault != TOKEN_OK)
        return fault;
    if (subject == NULL)
        return TOKEN_CLAIMS;
    self = g_new0(Caller, 1);
    self->id = g_strconcat(issuer->issuer, "|", subject, NULL);
    self->org = g_strdup(org);
    self->subject = subject_of(claims, issuer, self->id);
    self->token_id = g_strdup(token_claims_text(claims, "jti"));
    self->roles = roles_of(claims, issuer);
    if (issuer->purpose_claim != NULL)
        self->purposes = words_of(claims, issuer->purpose_claim);
    read_mfa(self, claims, issuer);
    *caller = g_steal_pointer(&self);
    return TOKEN_OK;
}
