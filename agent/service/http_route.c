#include "agent/service/http_route.h"

char **
http_route_match(const char *pattern, const char *path)
{
    g_auto(GStrv) wanted = g_strsplit(pattern, "/", -1);
    g_auto(GStrv) given = g_strsplit(path, "/", -1);
    g_autoptr(GStrvBuilder) parameters = g_strv_builder_new();
    guint n = g_strv_length(wanted);

    if (n != g_strv_length(given))
        return NULL;
    for (guint i = 0; i < n; i++) {
        g_autofree char *word = g_uri_unescape_string(given[i], "/");

        if (word == NULL || !g_utf8_validate(word, -1, NULL))
            return NULL;
        if (wanted[i][0] != '{') {
            if (!g_str_equal(word, wanted[i]))
                return NULL;
        } else if (word[0] != '\0') {
            g_strv_builder_add(parameters, word);
        } else {
            return NULL;
        }
    }
    return g_strv_builder_end(parameters);
}
