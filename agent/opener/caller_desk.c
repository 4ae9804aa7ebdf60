#include "agent/opener/caller_desk.h"

#include "agent/audit/pseudonym.h"
#include "agent/opener/token.h"
#include "agent/opener/token_claims.h"
#include "agent/rules/org_policy.h"
#include "agent/service/http_caller.h"

#include <string.h>

/* The way of a token: taken apart; whose it claims to be; that issuer's keys; the signature; and
 * only then what it says. */

#define BEARER "Bearer "

typedef struct {
    Opener *opener;
    Token *token;
    const Settings *settings; /* held */
    const OrgIssuer *issuer;
    const OrgSettings *org;
    bool has_asked_again; /* for newer keys */
    CallerDeskDone done;
    void *user_data;
} Check;

static void
refuse(CallerDeskDone done, void *user_data, TokenFault fault)
{
    g_auto(Refusal) refusal = {0};

    refusal_set(&refusal, 401, token_fault_text(fault), "%s", token_fault_sentence(fault));
    refusal.challenge = g_strdup_printf("Bearer error=\"invalid_token\", error_description=\"%s\"",
                                        token_fault_sentence(fault));
    done(NULL, &refusal, user_data);
}

static void
check_free(Check *self)
{
    settings_shelf_release(self->opener->shelf, self->settings);
    token_free(self->token);
    g_free(self);
}

/* Audited under a pseudonym where the settings say so. `caller`: what it is told as is only for
 * this call. */
static void
tell(const Opener *opener, Caller *caller, CallerDeskDone done, void *user_data)
{
    if (opener->settings->audit->hides_people && opener->pseudonym_key != NULL)
        caller->told_as = pseudonym_of(opener->pseudonym_key, caller->org, caller->id);
    done(caller, NULL, user_data);
    g_clear_pointer(&caller->told_as, g_free);
}

static void
on_keys(const json_t *keys, void *user_data)
{
    Check *self = user_data;
    g_autoptr(Caller) caller = NULL;
    TokenFault fault = keys == NULL ? TOKEN_KEY_UNKNOWN : token_is_genuine(self->token, keys);

    if (fault == TOKEN_KEY_UNKNOWN && !self->has_asked_again) {
        self->has_asked_again = true;
        key_sets_get(self->opener->key_sets, self->issuer, true, on_keys, self);
        return;
    }
    if (fault == TOKEN_OK) {
        fault = token_claims_read(self->token->claims, self->issuer, self->org->id,
                                  g_get_real_time() / G_USEC_PER_SEC, &caller);
    }
    if (fault == TOKEN_OK) {
        tell(self->opener, caller, self->done, self->user_data);
    } else {
        refuse(self->done, self->user_data, fault);
    }
    check_free(self);
}

/* Two organisations that claim the same token are a mistake in the settings, and nobody's. */
static bool
find_issuer(Check *self)
{
    const GPtrArray *orgs = self->settings->orgs;
    unsigned n_found = 0;

    for (guint i = 0; i < orgs->len; i++) {
        const OrgSettings *org = orgs->pdata[i];

        for (guint j = 0; j < org->access->issuers->len; j++) {
            const OrgIssuer *issuer = org->access->issuers->pdata[j];

            if (!token_claims_are_of(self->token->claims, issuer))
                continue;
            n_found++;
            self->issuer = issuer;
            self->org = org;
        }
    }
    return n_found == 1;
}

static void
check_token(Opener *opener, const char *text, CallerDeskDone done, void *user_data)
{
    TokenFault fault = TOKEN_OK;
    Token *token = token_parse(text, strlen(text), &fault);
    Check *self = NULL;

    if (token == NULL) {
        refuse(done, user_data, fault);
        return;
    }
    self = g_new0(Check, 1);
    *self = (Check){.opener = opener,
                    .token = token,
                    .settings = settings_shelf_hold(opener->shelf),
                    .done = done,
                    .user_data = user_data};
    if (find_issuer(self)) {
        key_sets_get(opener->key_sets, self->issuer, false, on_keys, self);
    } else {
        check_free(self);
        refuse(done, user_data, TOKEN_ISSUER);
    }
}

static unsigned
roles_of(const OrgOperator *operator)
{
    unsigned roles = 0;

    for (char **role = operator->roles; *role != NULL; role++)
        roles |= org_policy_role(*role);
    return roles;
}

/* In the organisation `id`, or the only one that knows them. */
static const OrgOperator *
find_operator(const Settings *settings, const char *user, const char *id, const OrgSettings **found)
{
    const OrgOperator *only = NULL;
    unsigned n_found = 0;

    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *org = settings->orgs->pdata[i];
        const OrgOperator *one = org_policy_operator(org, user);

        if (one == NULL || (id != NULL && strcmp(org->id, id) != 0))
            continue;
        n_found++;
        only = one;
        *found = org;
    }
    return n_found == 1 ? only : NULL;
}

static void
check_peer(const Opener *opener, const HttpRequest *request, const char *id, CallerDeskDone done,
           void *user_data)
{
    g_autofree char *user = http_caller_local_user(request);
    const OrgSettings *org = NULL;
    const OrgOperator *operator= user == NULL ? NULL
                                              : find_operator(opener->settings, user, id, &org);
    g_auto(Refusal) refusal = {0};
    Caller caller = {0};

    if (operator!= NULL) {
        caller = (Caller){.id = g_strconcat("unix:", user, NULL),
                          .org = org->id,
                          .roles = roles_of(operator),
                          .is_operator = true,
                          .owns_every_session = operator->owns_every_session };
        tell(opener, &caller, done, user_data);
        g_free(caller.id);
        return;
    }
    if (user == NULL) {
        refusal_set(&refusal, 401, "token-missing", "A token is needed.");
    } else {
        refusal_set(&refusal, 401, "operator-unknown",
                    "No organisation names the user %s as its operator, or several do and the "
                    "request does not say which; others need a token.",
                    user);
    }
    done(NULL, &refusal, user_data);
}

void
caller_desk_identify(Opener *opener, const HttpRequest *request, const char *org,
                     CallerDeskDone done, void *user_data)
{
    const char *header = http_caller_header(request, "Authorization");

    if (http_caller_has_header(request, "Authorization")) {
        if (header != NULL && g_ascii_strncasecmp(header, BEARER, strlen(BEARER)) == 0) {
            check_token(opener, header + strlen(BEARER), done, user_data);
        } else {
            refuse(done, user_data, TOKEN_MALFORMED);
        }
    } else {
        check_peer(opener, request, org, done, user_data);
    }
}
