#include "config/org_minors.h"

#include "config/org_minors_file.h"
#include "config/place_code.h"

#include <string.h>

#define SETTING "consent.minors_by"

/* A minor is younger than 21 everywhere, so no row begins later. */
#define ROW_PATTERN                                                                                \
    "^(\\*|[A-Z0-9-]+) (\\*|[a-z0-9][a-z0-9-]{0,63}) ([0-9]|1[0-9]|20): "                          \
    "(both|guardian|alone|never)$"

/* Those of agent/policy/minors.c, which this folder can not see; tests/test_org_policy.c holds them
 * to be the same. */
static const char *const words[] = {
    [ORG_MINORS_BOTH] = "both",
    [ORG_MINORS_GUARDIAN] = "guardian",
    [ORG_MINORS_ALONE] = "alone",
    [ORG_MINORS_NEVER] = "never",
};

bool
org_minors_is_word(const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(words[i], text) == 0)
            return true;
    }
    return false;
}

OrgMinors
org_minors_of(const char *text)
{
    size_t i = 0;

    while (text != NULL && i < ORG_MINORS_NEVER && strcmp(words[i], text) != 0)
        i++;
    return (OrgMinors) i;
}

static void
row_free(gpointer data)
{
    OrgMinorsRow *self = data;

    g_free(self->jurisdiction);
    g_free(self->service);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrgMinorsRow, row_free)

/* Returns: NULL for `*`. */
static char *
take_word(const GMatchInfo *match, int group)
{
    g_autofree char *word = g_match_info_fetch(match, group);

    return strcmp(word, "*") == 0 ? NULL : g_steal_pointer(&word);
}

/* Returns: owned; NULL for what is no row. */
static OrgMinorsRow *
parse_row(const char *text)
{
    g_autoptr(GRegex) pattern = g_regex_new(ROW_PATTERN, G_REGEX_DOLLAR_ENDONLY, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(OrgMinorsRow) row = NULL;
    g_autofree char *age = NULL;
    g_autofree char *who = NULL;

    if (!g_regex_match(pattern, text, 0, &match))
        return NULL;
    row = g_new0(OrgMinorsRow, 1);
    row->jurisdiction = take_word(match, 1);
    row->service = take_word(match, 2);
    age = g_match_info_fetch(match, 3);
    who = g_match_info_fetch(match, 4);
    row->from_age = (uint32_t) g_ascii_strtoull(age, NULL, 10);
    row->who = org_minors_of(who);
    if (row->jurisdiction != NULL && !place_code_is_valid(row->jurisdiction))
        return NULL;
    return g_steal_pointer(&row);
}

bool
org_minors_is_row(const char *text)
{
    g_autoptr(OrgMinorsRow) row = parse_row(text);

    return row != NULL;
}

/* Whether it names what a row names, or all of it: `US` is all of `US-CA`, NULL is everything. */
static bool
is_within(const char *part, const char *whole)
{
    const size_t n = whole != NULL ? strlen(whole) : 0;

    if (whole == NULL)
        return true;
    return part != NULL && strncmp(part, whole, n) == 0 && (part[n] == '\0' || part[n] == '-');
}

/* Whether `earlier` fits wherever `later` would, as agent/policy/minors.c has it, where what was
 * not said comes into it as well; the same test holds that both come to the same. */
static bool
covers(const OrgMinorsRow *earlier, const OrgMinorsRow *later)
{
    return is_within(later->jurisdiction, earlier->jurisdiction) &&
           (earlier->service == NULL || g_strcmp0(earlier->service, later->service) == 0) &&
           earlier->from_age <= later->from_age;
}

/* An entry that nothing reaches does not say what whoever wrote it thinks it does. */
static bool
check_reached(const GPtrArray *rows, const ConfigFile *file, GError **error)
{
    for (guint i = 1; i < rows->len; i++) {
        for (guint j = 0; j < i; j++) {
            if (!covers(rows->pdata[j], rows->pdata[i]))
                continue;
            config_file_fail(file, SETTING, error,
                             "entry %u is never reached: entry %u stands before it and decides all "
                             "that it would; put it first, or take it out",
                             i + 1, j + 1);
            return false;
        }
    }
    return true;
}

GPtrArray *
org_minors_read(const ConfigFile *file, GError **error)
{
    g_autoptr(GPtrArray) texts = config_file_list(file, SETTING);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);

    for (guint i = 0; i < texts->len; i++) {
        OrgMinorsRow *row = parse_row(texts->pdata[i]);

        if (row != NULL) /* each was checked when the file was opened */
            g_ptr_array_add(rows, row);
    }
    return check_reached(rows, file, error) ? g_steal_pointer(&rows) : NULL;
}
