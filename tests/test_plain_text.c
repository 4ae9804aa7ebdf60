#include "agent/audit/plain_text.h"

#include <glib.h>

static void
test_text_holds_what_xml_may_have(void)
{
    static const char *const rows[][2] = {
        {"",                         ""                                           },
        {"p1 <&>\"'",                "p1 <&>\"'"                                  },
        {"\xc3\xa9\xf0\x9f\x8e\xa5", "\xc3\xa9\xf0\x9f\x8e\xa5"                   },
        {"a\nb\tc\x01\x7f",          "a\xef\xbf\xbd"
                            "b\xef\xbf\xbd"
                            "c\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc2\x85",                 "\xef\xbf\xbd"                               },
        {"\xef\xbf\xbe",             "\xef\xbf\xbd"                               },
        {"a\xff",                    "a\xef\xbf\xbd"                              },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *plain = plain_text(rows[i][0]);

        g_assert_cmpstr(plain, ==, rows[i][1]);
    }
}

static void
test_word_holds_what_a_header_may_have(void)
{
    g_autofree char *word = plain_text_word("a b\n\xc3\xa9", 100);
    g_autofree char *none = plain_text_word("", 100);
    g_autofree char *cut = plain_text_word("abcdef", 3);

    g_assert_cmpstr(word, ==, "a?b???");
    g_assert_cmpstr(none, ==, "-");
    g_assert_cmpstr(cut, ==, "abc");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plain-text/text-holds-what-xml-may-have", test_text_holds_what_xml_may_have);
    g_test_add_func("/plain-text/word-holds-what-a-header-may-have",
                    test_word_holds_what_a_header_may_have);
    return g_test_run();
}
