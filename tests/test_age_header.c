#include "crypto/age_header.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

#define V1  "age-encryption.org/v1\n"
#define MAC "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
#define L64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
#define ONE "-> a\n\n"

static AgeHeader *
parse(const char *text, GError **error)
{
    return age_header_parse((const uint8_t *) text, strlen(text), error);
}

static void
test_reads_every_stanza_that_the_grammar_allows(void)
{
    static const struct {
        const char *name;
        const char *text;
        guint n_stanzas;
        size_t n_words; /* of the first stanza */
        guint n_body;   /* of the first stanza */
    } rows[] = {
        {"smallest",          V1 ONE MAC,                                           1, 1, 0 },
        {"two",               V1 ONE "-> b c d\nAA\n" MAC,                          2, 1, 0 },
        {"short body",        V1 "-> a b\nAA\n" MAC,                                1, 2, 1 },
        {"full line",         V1 "-> a\n" L64 "\n" MAC,                             1, 1, 48},
        {"full and short",    V1 "-> a\n" L64 "AAAA\n" MAC,                         1, 1, 51},
        {"all that is seen",  V1 "-> !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ~\n\n" MAC, 1, 2, 0 },
        {"arrow as argument", V1 "-> -> ->\n\n" MAC,                                1, 2, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", rows[i].name);

        g_autoptr(AgeHeader) header = parse(rows[i].text, &error);

        g_assert_no_error(error);
        const AgeStanza *first = g_ptr_array_index(header->stanzas, 0);
        g_assert_cmpuint(header->stanzas->len, ==, rows[i].n_stanzas);
        g_assert_cmpuint(first->n_words, ==, rows[i].n_words);
        g_assert_cmpuint(first->body->len, ==, rows[i].n_body);
        g_assert_cmpmem(header->text + header->n_text - 3, 3, "---", 3);
    }
}

static void
test_refuses_every_other_header(void)
{
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {
        {"empty",                     ""                                                          },
        {"version 2",                 "age-encryption.org/v2\n" ONE MAC                           },
        {"version with CR",           "age-encryption.org/v1\r\n" ONE MAC                         },
        {"version with space",        "age-encryption.org/v1 \n" ONE MAC                          },
        {"empty line first",          "\n" V1 ONE MAC                                             },
        {"no stanza",                 V1 MAC                                                      },
        {"no MAC line",               V1 ONE                                                      },
        {"no MAC",                    V1 ONE "---\n"                                              },
        {"empty MAC",                 V1 ONE "--- \n"                                             },
        {"MAC without space",         V1 ONE "---AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"   },
        {"MAC with two spaces",       V1 ONE "---  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" },
        {"MAC with space behind",     V1 ONE "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \n" },
        {"MAC cut",                   V1 ONE "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"   },
        {"MAC padded",                V1 ONE "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" },
        {"MAC longer",                V1 ONE "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" },
        {"MAC not canonical",         V1 ONE "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n"  },
        {"MAC with CR",               V1 ONE "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"},
        {"MAC of four dashes",        V1 ONE "---- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" },
        {"MAC in URL alphabet",       V1 ONE "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_A\n"  },
        {"something behind",          V1 ONE MAC "x\n"                                            },
        {"second MAC",                V1 ONE MAC MAC                                              },
        {"stanza without space",      V1 "->a\n\n" MAC                                            },
        {"stanza of two spaces",      V1 "->  a\n\n" MAC                                          },
        {"stanza without type",       V1 "->\n\n" MAC                                             },
        {"stanza of a space",         V1 "-> \n\n" MAC                                            },
        {"space behind",              V1 "-> a \n\n" MAC                                          },
        {"empty argument",            V1 "-> a  b\n\n" MAC                                        },
        {"tab",                       V1 "-> a\tb\n\n" MAC                                        },
        {"CR in arguments",           V1 "-> a\r\n\n" MAC                                         },
        {"high byte in arguments",    V1 "-> \xc3\xa4\n\n" MAC                                    },
        {"delete in arguments",       V1 "-> \x7f\n\n" MAC                                        },
        {"stanza of dashes",          V1 "-- a\n\n" MAC                                           },
        {"stanza of arrow only",      V1 "> a\n\n" MAC                                            },
        {"no body line",              V1 "-> a\n" MAC                                             },
        {"next stanza as body",       V1 "-> a\n-> b\n\n" MAC                                     },
        {"no short line",             V1 "-> a\n" L64 MAC                                         },
        {"line behind the short one", V1 "-> a\nAAAA\nAAAA\n" MAC                                 },
        {"two empty lines",           V1 "-> a\n\n\n" MAC                                         },
        {"65 columns",                V1 "-> a\nA" L64 "\n" MAC                                   },
        {"68 columns",                V1 "-> a\nAAAA" L64 "\n" MAC                                },
        {"body padded",               V1 "-> a\nAA==\n" MAC                                       },
        {"body of one column",        V1 "-> a\nA\n" MAC                                          },
        {"body not canonical",        V1 "-> a\nAB\n" MAC                                         },
        {"body with CR",              V1 "-> a\nAAAA\r\n" MAC                                     },
        {"body with space",           V1 "-> a\nAAAA \n" MAC                                      },
        {"body with space before",    V1 "-> a\n AAAA\n" MAC                                      },
        {"body with star",            V1 "-> a\nAA*A\n" MAC                                       },
        {"body with a high slash",    V1 "-> a\nAA\xaf"
                                      "A\n" MAC                 },
        {"body with a high plus",     V1 "-> a\nAA\xab"
                                     "A\n" MAC                   },
        {"body in URL alphabet",      V1 "-> a\nAA_-\n" MAC                                       },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", rows[i].name);

        g_assert_null(parse(rows[i].text, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

static void
test_refuses_a_zero_byte_anywhere(void)
{
    static const char text[] = V1 "-> a b\nAAAA\n" MAC;

    for (size_t at = 0; at < strlen(text); at++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *changed = g_strdup(text);
        changed[at] = '\0';

        g_assert_null(age_header_parse((const uint8_t *) changed, strlen(text), &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

static void
test_refuses_every_beginning_of_a_header(void)
{
    static const char text[] = V1 "-> a b\nAAAA\n" MAC;

    for (size_t n_bytes = 0; n_bytes < strlen(text); n_bytes++) {
        g_autoptr(GError) error = NULL;
        g_autofree uint8_t *part = g_memdup2(text, n_bytes);
        size_t n_seen = 0;

        g_assert_cmpuint(age_header_find_end(part, n_bytes, &n_seen), ==, 0);
        g_assert_null(age_header_parse(part, n_bytes, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

static void
test_finds_its_end_however_it_arrives(void)
{
    static const char text[] = V1 "-> a b\nAAAA\n" MAC "payload ---\n--- x\n";
    const size_t n_header = strlen(V1 "-> a b\nAAAA\n" MAC);
    size_t n_seen = 0;

    for (size_t n_bytes = 0; n_bytes < n_header; n_bytes++)
        g_assert_cmpuint(age_header_find_end((const uint8_t *) text, n_bytes, &n_seen), ==, 0);
    for (size_t n_bytes = n_header; n_bytes <= strlen(text); n_bytes++)
        g_assert_cmpuint(age_header_find_end((const uint8_t *) text, n_bytes, &n_seen), ==,
                         n_header);
}

static void
test_reads_what_it_writes(void)
{
    static const guint lengths[] = {0, 1, 47, 48, 49, 95, 96, 97};
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) file_key = secret_new_random(16, &error);
    g_autoptr(Secret) other_key = secret_new_random(16, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) stanzas = g_ptr_array_new_with_free_func((GDestroyNotify) age_stanza_free);
    g_autoptr(GBytes) pattern = age_fixture_pattern(97);
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++)
        g_ptr_array_add(stanzas, age_stanza_new(g_strsplit("type of argument", " ", -1),
                                                g_bytes_get_data(pattern, NULL), lengths[i]));

    g_autoptr(GByteArray) bytes = age_header_write(stanzas, file_key);
    g_autoptr(AgeHeader) header = age_header_parse(bytes->data, bytes->len, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(header->stanzas->len, ==, G_N_ELEMENTS(lengths));
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        const AgeStanza *stanza = g_ptr_array_index(header->stanzas, i);
        g_assert_cmpuint(stanza->n_words, ==, 3);
        g_assert_cmpmem(stanza->body->data, stanza->body->len, g_bytes_get_data(pattern, NULL),
                        lengths[i]);
    }
    g_assert_true(age_header_is_genuine(header, file_key));
    g_assert_false(age_header_is_genuine(header, other_key));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_header/reads-every-stanza-that-the-grammar-allows",
                    test_reads_every_stanza_that_the_grammar_allows);
    g_test_add_func("/age_header/refuses-every-other-header", test_refuses_every_other_header);
    g_test_add_func("/age_header/refuses-a-zero-byte-anywhere", test_refuses_a_zero_byte_anywhere);
    g_test_add_func("/age_header/refuses-every-beginning-of-a-header",
                    test_refuses_every_beginning_of_a_header);
    g_test_add_func("/age_header/finds-its-end-however-it-arrives",
                    test_finds_its_end_however_it_arrives);
    g_test_add_func("/age_header/reads-what-it-writes", test_reads_what_it_writes);
    return g_test_run();
}
