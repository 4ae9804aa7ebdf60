#include "agent/recorder/shown_text.h"

#include <glib.h>
#include <stdbool.h>

enum { MAX_CHARACTERS = 40 };

char *
shown_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *shown = g_string_new(NULL);
    unsigned n = 0;

    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at), n++) {
        const gunichar character = g_utf8_get_char(at);

        if (n == MAX_CHARACTERS) {
            g_string_append(shown, "...");
            break;
        }
        const bool is_harmless =
            character == ' ' || (g_unichar_isprint(character) && !g_unichar_isspace(character));
        g_string_append_unichar(shown, is_harmless ? character : '?');
    }
    return g_string_free(shown, FALSE);
}
