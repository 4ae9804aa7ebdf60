#include "crypto/bech32.h"

#include <glib.h>
#include <string.h>

/* From BIP 173, but for its bound of 90 characters, which age does not have. */
static const char *const valid[] = {
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
};

static const struct {
    const char *name;
    const char *text;
} invalid[] = {
    {"space in prefix",          " 1nwldj5"                            },
    {"delete in prefix",         "\x7f"
                         "1axkwrx"             },
    {"high byte in prefix",      "\x80"
                            "1eym55h"       },
    {"no separator",             "pzry9x0s0muk"                        },
    {"empty prefix",             "1pzry9x0s0muk"                       },
    {"empty prefix, short",      "10a06t8"                             },
    {"empty prefix, other",      "1qzzfhee"                            },
    {"character outside",        "x1b4n0q5v"                           },
    {"checksum cut",             "li1dgmt3"                            },
    {"high byte in checksum",    "de1lg7wt\xff"                        },
    {"checksum of upper prefix", "A1G7SGD8"                            },
    {"mixed case",               "a12UEL5L"                            },
    {"nothing",                  ""                                    },
    {"prefix of 84",             "an84characterslonghumanreadablepartthatcontainsthenumber1andthe"
                     "excludedcharactersbio1569pvx"},
};

static void
test_takes_bip173_and_writes_it_back(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(valid); i++) {
        const char *reason = NULL;
        g_autofree char *lower = g_ascii_strdown(valid[i], -1);
        char text[BECH32_TEXT_BYTES];
        Bech32 value;

        g_assert_true(bech32_decode(&value, valid[i], strlen(valid[i]), &reason));
        g_autofree char *prefix = g_ascii_strdown(value.prefix, -1);
        g_strlcpy(value.prefix, prefix, sizeof(value.prefix));
        bech32_encode(&value, text);

        g_assert_cmpstr(text, ==, lower);
    }
}

static void
test_refuses_what_bip173_refuses(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(invalid); i++) {
        const char *reason = NULL;
        Bech32 value;

        g_test_message("%s", invalid[i].name);
        g_assert_false(bech32_decode(&value, invalid[i].text, strlen(invalid[i].text), &reason));
        g_assert_nonnull(reason);
    }
}

static void
test_notices_every_changed_character(void)
{
    static const char text[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    for (size_t at = 4; at < strlen(text); at++) {
        for (const char *other = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"; *other != '\0'; other++) {
            const char *reason = NULL;
            g_autofree char *changed = g_strdup(text);
            Bech32 value;

            changed[at] = *other;
            g_assert_true(bech32_decode(&value, changed, strlen(changed), &reason) ==
                          (text[at] == *other));
        }
    }
}

static void
test_refuses_padding_that_is_not_zero(void)
{
    /* Right checksums over one byte and three padding bits, zero in the first only; and over one
     * group of five bits, which no byte fills. */
    static const struct {
        const char *text;
        bool is_valid;
    } rows[] = {
        {"a1qqqd87cq", true },
        {"a1qpamnt9j", false},
        {"a1q3g6mn3",  false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *reason = NULL;
        Bech32 value;

        g_test_message("%s", rows[i].text);
        const bool is_valid = bech32_decode(&value, rows[i].text, strlen(rows[i].text), &reason);
        if (!is_valid)
            g_assert_cmpstr(reason, ==, rows[i].is_valid ? NULL : "its padding is wrong");
        g_assert_true(is_valid == rows[i].is_valid);
    }
}

static void
test_refuses_what_is_too_long(void)
{
    g_autofree char *many = g_strnfill(5000, 'q');
    g_autofree char *text = g_strconcat("age1", many, NULL);
    const char *reason = NULL;
    Bech32 value;

    g_assert_false(bech32_decode(&value, text, strlen(text), &reason));
    g_assert_cmpstr(reason, ==, "its length is wrong");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bech32/takes-bip173-and-writes-it-back",
                    test_takes_bip173_and_writes_it_back);
    g_test_add_func("/bech32/refuses-what-bip173-refuses", test_refuses_what_bip173_refuses);
    g_test_add_func("/bech32/notices-every-changed-character",
                    test_notices_every_changed_character);
    g_test_add_func("/bech32/refuses-padding-that-is-not-zero",
                    test_refuses_padding_that_is_not_zero);
    g_test_add_func("/bech32/refuses-what-is-too-long", test_refuses_what_is_too_long);
    return g_test_run();
}
