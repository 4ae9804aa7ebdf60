#include "storage/object_key.h"

#include "crypto/age_context.h"

#include <stdio.h>
#include <string.h>

enum { MAX_KEY_BYTES = 1024, MAX_WORD_BYTES = 255 };

static bool
word_is_valid(const char *word, size_t n_bytes)
{
    if (n_bytes == 0 || n_bytes > MAX_WORD_BYTES || !g_ascii_isalnum(word[0]))
        return false;
    for (size_t i = 0; i < n_bytes; i++) {
        const char c = word[i];

        if (!g_ascii_islower(c) && !g_ascii_isdigit(c) && strchr("._-", c) == NULL)
            return false;
    }
    return true;
}

bool
object_key_is_valid(const char *key)
{
    if (key == NULL || strlen(key) > MAX_KEY_BYTES)
        return false;
    for (;;) {
        const size_t n_bytes = strcspn(key, "/");

        if (!word_is_valid(key, n_bytes))
            return false;
        if (key[n_bytes] == '\0')
            return true;
        key += n_bytes + 1;
    }
}

char *
object_key_tape(const char *track, uint32_t part, uint32_t first)
{
    return g_strdup_printf("t%s/%u-%u.tape", track, part, first);
}

char *
object_key_join(const char *org, const char *session, const char *relative)
{
    g_assert(age_context_id_is_valid(org) && age_context_id_is_valid(session));
    return g_strdup_printf("%s/%s/%s", org, session, relative);
}

char *
object_key_manifest(const char *org, const char *session, uint32_t number)
{
    g_autofree char *relative = g_strdup_printf("manifest/%u.note", number);

    return object_key_join(org, session, relative);
}

char *
object_key_annotation(const char *org, const char *session, uint32_t number)
{
    g_autofree char *relative = g_strdup_printf("notes/%u.note", number);

    return object_key_join(org, session, relative);
}

char *
object_key_reseal(const char *org, const char *session, uint32_t number)
{
    g_autofree char *relative = g_strdup_printf("resealed/%u.note", number);

    return object_key_join(org, session, relative);
}

char *
object_key_statement(const char *org, const char *session, const char *digest)
{
    return g_strdup_printf("%s/%s/said/%s.sealed", org, session, digest);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

GPtrArray *
object_key_sort(const GPtrArray *names)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy((GPtrArray *) names, NULL, NULL);
    GPtrArray *result = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_set_free_func(sorted, NULL);
    g_ptr_array_sort(sorted, compare_names);
    for (guint i = 0; i < sorted->len; i++) {
        const char *name = g_ptr_array_index(sorted, i);

        if (result->len == 0 || strcmp(g_ptr_array_index(result, result->len - 1), name) != 0)
            g_ptr_array_add(result, g_strdup(name));
    }
    return result;
}

/* Whether it begins with `r<generation>/said/`. */
static bool
is_resealed_statement(const char *relative)
{
    const size_t n_digits = relative[0] == 'r' ? strspn(relative + 1, "0123456789") : 0;

    return n_digits > 0 && g_str_has_prefix(relative + 1 + n_digits, "/said/");
}

bool
object_key_is_secret(const char *relative)
{
    return g_str_has_prefix(relative, "env/") || g_str_has_prefix(relative, "said/") ||
           strcmp(relative, "meta.age") == 0 || is_resealed_statement(relative);
}

bool
object_key_parse_number(const char *relative, const char *folder, const char *suffix,
                        uint32_t *number)
{
    unsigned long long value = 0;
    g_autofree char *again = NULL;
    const size_t n_folder = strlen(folder);

    if (strncmp(relative, folder, n_folder) != 0 || relative[n_folder] != '/')
        return false;
    value = g_ascii_strtoull(relative + n_folder + 1, NULL, 10);
    if (value < 1 || value > UINT32_MAX)
        return false;
    /* Written again it must be the same: no sign, no leading zero, nothing behind. */
    again = g_strdup_printf("%s/%llu%s", folder, value, suffix);
    *number = (uint32_t) value;
    return strcmp(again, relative) == 0;
}
