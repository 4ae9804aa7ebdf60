#include "agent/recorder/shown_text.h"

#include <glib.h>

static const struct {
    const char *text, *shown;
} rows[] = {
    {"",                                          ""                                           },
    {"trakcs",                                    "trakcs"                                     },
    {"two\nlines\r\t\033[2J",                     "two?lines???[2J"                            },
    {"Gr\303\266\303\237e",                       "Gr\303\266\303\237e"                        },
    {"\342\200\250 ends a line as well",          "? ends a line as well"                      },
    {"\xff\xfe",                                  "\357\277\275\357\277\275"                   },
    {"1234567890123456789012345678901234567890",  "1234567890123456789012345678901234567890"   },
    {"1234567890123456789012345678901234567890+", "1234567890123456789012345678901234567890..."},
};

static void
test_quotes_nothing_that_steers(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *shown = shown_text(rows[i].text);
        g_assert_cmpstr(shown, ==, rows[i].shown);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shown_text/quotes-nothing-that-steers", test_quotes_nothing_that_steers);
    return g_test_run();
}
