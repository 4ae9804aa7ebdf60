#include "agent/recorder/request_members.h"

#include "agent/recorder/shown_text.h"
#include "crypto/age_context.h"

#include <string.h>

#define ID_RULE "1 to 64 of a-z, 0-9, dot, hyphen and underscore, starting with a letter or digit"

bool
request_members_are_known(const json_t *form, const char *const *known, char **fault)
{
    const char *name = NULL;
    json_t *value = NULL;

    if (!json_is_object(form)) {
        *fault = g_strdup("must be an object");
        return false;
    }
    json_object_foreach((json_t *) form, name, value)
    {
        if (!g_strv_contains(known, name)) {
            g_autofree char *shown = shown_text(name);

            *fault = g_strdup_printf("\"%s\" is not a known member", shown);
            return false;
        }
    }
    return true;
}

char *
request_members_id(const json_t *form, const char *name, char **fault)
{
    const json_t *member = json_object_get(form, name);
    const char *text = json_string_value(member);

    if (*fault != NULL)
        return NULL;
    if (member == NULL) {
        *fault = g_strdup_printf("\"%s\" is missing", name);
    } else if (text == NULL || strlen(text) != json_string_length(member) ||
               !age_context_id_is_valid(text)) {
        *fault = g_strdup_printf("\"%s\" must be a string of " ID_RULE, name);
    }
    return *fault == NULL ? g_strdup(text) : NULL;
}

int64_t
request_members_number(const json_t *form, const char *name, const int64_t range[2],
                       int64_t otherwise, char **fault)
{
    const json_t *member = json_object_get(form, name);
    const int64_t value = json_integer_value(member);

    if (*fault != NULL)
        return 0;
    if (member == NULL && otherwise >= 0)
        return otherwise;
    if (member == NULL) {
        *fault = g_strdup_printf("\"%s\" is missing", name);
    } else if (!json_is_integer(member) || value < range[0] || value > range[1]) {
        *fault = g_strdup_printf("\"%s\" must be an integer from %" G_GINT64_FORMAT
                                 " to %" G_GINT64_FORMAT,
                                 name, range[0], range[1]);
    }
    return value;
}
