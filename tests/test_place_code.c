#include "config/place_code.h"

#include <glib.h>

/* What is no country or part of one must not stand in a rule, where nothing would ever fit it. */
static void
test_knows_places_from_other_words(void)
{
    static const char *const good[] = {"US",     "US-CA", "US-DC", "US-PR", "GB",
                                       "GB-SCT", "DE-BE", "FR-75", "ZW"};
    static const char *const bad[] = {"",      "U",     "UK",     "XX",   "us",      "USA",
                                      "US-",   "US-XX", "US-CAL", "US-C", "DE-BERL", "DE-BE-1",
                                      "US CA", "US-ca", " US",    "US\n", "*",       "S A"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_test_message("%s", good[i]);
        g_assert_true(place_code_is_valid(good[i]));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%s", bad[i]);
        g_assert_false(place_code_is_valid(bad[i]));
    }
}

/* Against the list that tzdata brings, as far as this host has it. */
static void
test_knows_every_country(void)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned n_known = 0;
    unsigned n_codes = 0;

    if (!g_file_get_contents("/usr/share/zoneinfo/iso3166.tab", &text, NULL, NULL)) {
        g_test_skip("no tzdata");
        return;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        if (**line == '#' || **line == '\0')
            continue;
        (*line)[2] = '\0';
        g_assert_true(place_code_is_valid(*line));
        n_codes++;
    }
    for (char a = 'A'; a <= 'Z'; a++) {
        for (char b = 'A'; b <= 'Z'; b++)
            n_known += place_code_is_valid((const char[]){a, b, '\0'});
    }
    g_assert_cmpuint(n_known, ==, n_codes);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/place-code/knows-places-from-other-words",
                    test_knows_places_from_other_words);
    g_test_add_func("/place-code/knows-every-country", test_knows_every_country);
    return g_test_run();
}
