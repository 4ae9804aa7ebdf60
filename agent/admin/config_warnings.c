#include "agent/admin/config_warnings.h"

#include "agent/policy/access.h"

#include <string.h>

/* Of the table of roles, what no program asks about: it says who is to be given rights on the
 * host's files, and takes them from nobody. */
static const AccessAction never_asked[] = {
    ACCESS_SETTINGS_READ, ACCESS_SETTINGS_CHANGE, ACCESS_AUDIT_OWN,   ACCESS_AUDIT_COUNTS,
    ACCESS_AUDIT_ALL,     ACCESS_DISCLOSURES_OWN, ACCESS_DISCLOSURES,
};

static bool
is_left(const GPtrArray *left, const char *action)
{
    for (guint i = 0; i < left->len; i++) {
        if (strcmp(left->pdata[i], action) == 0)
            return true;
    }
    return false;
}

static void
add_word(GString *list, const char *word)
{
    g_string_append_printf(list, "%s`%s`", list->len > 0 ? ", " : "", word);
}

/* `left`: what the organisation leaves to the role of what the table gives it. */
static void
look_at_role(const OrgSettings *org, AccessRole role, const GPtrArray *left, GPtrArray *warnings)
{
    g_autoptr(GString) kept = g_string_new(NULL);
    g_autoptr(GString) taken = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(never_asked); i++) {
        const char *action = access_action_text(never_asked[i]);

        if (is_left(left, action)) {
            add_word(kept, action);
        } else if (access_role_may(role, never_asked[i], NULL)) {
            add_word(taken, action);
        }
    }
    if (kept->len > 0) {
        g_ptr_array_add(warnings,
                        g_strdup_printf("%s: access.may.%s: %s has no effect: no program asks for "
                                        "it, rights on the host's files decide",
                                        org->id, access_role_text(role), kept->str));
    }
    if (taken->len > 0) {
        g_ptr_array_add(warnings,
                        g_strdup_printf("%s: access.may.%s: leaving out %s takes nothing away: no "
                                        "program asks for it, rights on the host's files decide",
                                        org->id, access_role_text(role), taken->str));
    }
}

GPtrArray *
config_warnings(const Settings *settings)
{
    GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *org = settings->orgs->pdata[i];

        for (int role = 0; role < N_ACCESS_ROLES; role++) {
            for (size_t at = 0; at < ORG_N_ROLES; at++) {
                if (org->access->may[at] != NULL &&
                    strcmp(org_access_role_names[at], access_role_text((AccessRole) role)) == 0)
                    look_at_role(org, (AccessRole) role, org->access->may[at], warnings);
            }
        }
    }
    return warnings;
}
