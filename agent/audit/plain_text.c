#include "agent/audit/plain_text.h"

#include <glib.h>
#include <stdbool.h>

#define REPLACEMENT 0xfffd

/* Char of XML 1.0, section 2.2, but no control characters of Latin-1 either. */
static bool
may_stand(gunichar character)
{
    return (character >= 0x20 && character < 0x7f) || (character >= 0xa0 && character < 0xd800) ||
           (character >= 0xe000 && character < 0xfffe) ||
           (character >= 0x10000 && character <= 0x10ffff);
}

char *
plain_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *plain = g_string_new(NULL);

    for (const char *next = valid; *next != '\0'; next = g_utf8_next_char(next)) {
        const gunichar character = g_utf8_get_char(next);

        g_string_append_unichar(plain, may_stand(character) ? character : REPLACEMENT);
    }
    return g_string_free(plain, FALSE);
}

char *
plain_text_word(const char *text, unsigned n_most)
{
    char *word = g_strndup(text, n_most);

    for (char *next = word; *next != '\0'; next++) {
        if (*next <= ' ' || *next > '~')
            *next = '?';
    }
    if (*word != '\0')
        return word;
    g_free(word);
    return g_strdup("-");
}
