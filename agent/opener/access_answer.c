#include "agent/opener/access_answer.h"

#include "agent/service/http_caller.h"

#include <jansson.h>
#include <string.h>

void
access_answer_refuse(HttpRequest *request, const Refusal *refusal)
{
    if (refusal->status == 401) {
        http_caller_answer_header(request, "WWW-Authenticate",
                                  refusal->challenge != NULL ? refusal->challenge : "Bearer");
    }
    http_reply_problem(request, refusal->status, refusal->detail,
                       json_pack("{s:s}", "reason", refusal->reason));
}

/* Those that any of the organisation's issuers takes: the client knows which one it asked. */
static char *
list_acr(const OrgSettings *org)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i < org->access->issuers->len; i++) {
        const OrgIssuer *issuer = org->access->issuers->pdata[i];

        for (guint j = 0; j < issuer->acr->len; j++) {
            g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "",
                                   (const char *) issuer->acr->pdata[j]);
        }
    }
    return g_string_free(list, FALSE);
}

void
access_answer_demand_mfa(Refusal *refusal, const OrgSettings *org, const char *purpose)
{
    const uint32_t age_s =
        strcmp(purpose, "BTG") == 0 ? org->access->mfa_fresh_s : org->access->mfa_age_s;
    g_autofree char *acr = list_acr(org);
    GString *challenge = g_string_new("Bearer error=\"insufficient_user_authentication\", "
                                      "error_description=\"A second factor is needed\"");

    refusal_set(refusal, 401, access_reason_text(ACCESS_MFA_REQUIRED),
                "A second factor is needed, or a more recent one.");
    if (*acr != '\0')
        g_string_append_printf(challenge, ", acr_values=\"%s\"", acr);
    if (age_s > 0)
        g_string_append_printf(challenge, ", max_age=\"%u\"", age_s);
    refusal->challenge = g_string_free(challenge, FALSE);
}
