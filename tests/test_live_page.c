#include "agent/admin/live_page.h"

static const struct {
    const char *page, *fitted;
} rows[] = {
    {"",                              ""                                },
    {"one\n",                         "one\033[K"                       },
    {"one\ntwo\nthree\n",             "one\033[K\r\ntwo\033[K"          },
    {"abcdefgh\n",                    "abcde\033[K"                     },
    {"\303\244\303\266\303\274xyz\n", "\303\244\303\266\303\274xy\033[K"},
    {"a\033[31mb\n",                  "a?[31\033[K"                     },
    {"a\xff\n",                       "a\357\277\275\033[K"             },
};

/* Five columns, two rows: neither a long list nor an odd name in it breaks the screen. */
static void
test_fits_any_page(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *fitted = live_page_fit(rows[i].page, 5, 2);

        g_assert_cmpstr(fitted, ==, rows[i].fitted);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/live-page/fits-any-page", test_fits_any_page);
    return g_test_run();
}
