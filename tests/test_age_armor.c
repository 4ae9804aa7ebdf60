#include "crypto/age_armor.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <gio/gio.h>
#include <string.h>

#define B    AGE_ARMOR_BEGIN "\n"
#define E    AGE_ARMOR_END "\n"
#define L64  "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n" /* 48 times A */
#define A48  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define S16  "                "
#define S256 S16 S16 S16 S16 S16 S16 S16 S16 S16 S16 S16 S16 S16 S16 S16 S16

/* Returns: what is inside, owned, or NULL. */
static GByteArray *
take_off(const char *text, size_t n_text, size_t step, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, n_text);
    g_autoptr(AgeTape) tape = age_tape_new(bytes, step);
    g_autoptr(AgeArmorReader) reader = age_armor_reader_new(age_tape_read, tape);
    g_autoptr(GByteArray) inside = g_byte_array_new();
    uint8_t buffer[100];
    size_t n_read = 1;

    while (n_read > 0) {
        if (!age_armor_reader_read(reader, buffer, sizeof(buffer), &n_read, error))
            return NULL;
        g_byte_array_append(inside, buffer, (guint) n_read);
    }
    return g_steal_pointer(&inside);
}

static char *
put_on(GBytes *plain, size_t step)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeTape) tape = age_tape_new(NULL, 0);
    g_autoptr(AgeArmorWriter) writer = age_armor_writer_new(age_tape_write, tape);
    gsize n_plain = 0;
    const uint8_t *bytes = g_bytes_get_data(plain, &n_plain);

    for (size_t done = 0; done < n_plain; done += step)
        g_assert_true(
            age_armor_writer_write(writer, bytes + done, MIN(step, n_plain - done), &error));
    g_assert_true(age_armor_writer_finish(writer, &error));
    g_assert_no_error(error);
    return g_strndup((const char *) tape->bytes->data, tape->bytes->len);
}

static void
test_comes_off_as_it_went_on(void)
{
    static const guint lengths[] = {0, 1, 2, 3, 46, 47, 48, 49, 95, 96, 97, 100000};
    static const size_t steps[] = {1, 13, 48, 100000};

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths) * G_N_ELEMENTS(steps); i++) {
        g_autoptr(GError) error = NULL;
        const guint n_plain = lengths[i / G_N_ELEMENTS(steps)];
        const size_t step = steps[i % G_N_ELEMENTS(steps)];
        g_autoptr(GBytes) plain = age_fixture_pattern(n_plain);
        g_autofree char *text = put_on(plain, step);

        g_autoptr(GByteArray) inside = take_off(text, strlen(text), step, &error);

        g_assert_no_error(error);
        g_assert_cmpmem(inside->data, inside->len, g_bytes_get_data(plain, NULL), n_plain);
    }
}

static void
test_takes_every_form_that_is_allowed(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *inside;
    } rows[] = {
        {"empty",                 B E,                                                 ""      },
        {"short",                 B "QUI=\n" E,                                        "AB"    },
        {"full line",             B L64 E,                                             A48     },
        {"full and short",        B L64 "QUI=\n" E,                                    A48 "AB"},
        {"no newline at the end", B "QUI=\n" AGE_ARMOR_END,                            "AB"    },
        {"CR LF",                 AGE_ARMOR_BEGIN "\r\nQUI=\r\n" AGE_ARMOR_END "\r\n", "AB"    },
        {"CR LF in places",       AGE_ARMOR_BEGIN "\r\nQUI=\n" AGE_ARMOR_END "\r\n",   "AB"    },
        {"white space before",    "\n \t\r\n" B "QUI=\n" E,                            "AB"    },
        {"white space behind",    B "QUI=\n" E "\n \t\r\n  ",                          "AB"    },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", rows[i].name);

        g_autoptr(GByteArray) inside = take_off(rows[i].text, strlen(rows[i].text), 1, &error);

        g_assert_no_error(error);
        g_assert_cmpmem(inside->data, inside->len, rows[i].inside, (guint) strlen(rows[i].inside));
        g_assert_true(age_armor_begins((const uint8_t *) rows[i].text, strlen(rows[i].text)));
    }
}

static void
test_refuses_every_other_form(void)
{
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {
        {"nothing",                 ""                                            },
        {"white space only",        "\n\n"                                        },
        {"begin only",              B                                             },
        {"no end",                  B "QUI=\n"                                    },
        {"no end, full line",       B L64                                         },
        {"end only",                E                                             },
        {"begin twice",             B B "QUI=\n" E                                },
        {"other type",              "-----BEGIN AGE FILE-----\nQUI=\n" E          },
        {"other end",               B "QUI=\n-----END AGE FILE-----\n"            },
        {"lower case",              "-----begin age encrypted file-----\nQUI=\n" E},
        {"four dashes",             "----BEGIN AGE ENCRYPTED FILE----\nQUI=\n" E  },
        {"space before begin",      " " B "QUI=\n" E                              },
        {"space behind begin",      AGE_ARMOR_BEGIN " \nQUI=\n" E                 },
        {"space before end",        B "QUI=\n " E                                 },
        {"space behind end",        B "QUI=\n" AGE_ARMOR_END " \n"                },
        {"text before",             "hello\n" B "QUI=\n" E                        },
        {"text behind",             B "QUI=\n" E "hello\n"                        },
        {"two armours",             B "QUI=\n" E B "QUI=\n" E                     },
        {"header",                  B "Comment: x\n\nQUI=\n" E                    },
        {"checksum",                B "QUI=\n=A7Qx\n" E                           },
        {"empty line first",        B "\nQUI=\n" E                                },
        {"empty line last",         B "QUI=\n\n" E                                },
        {"empty line behind full",  B L64 "\n" E                                  },
        {"short line in between",   B "QUFB\nQUI=\n" E                            },
        {"two short lines",         B "QUI=\nQUI=\n" E                            },
        {"padding in between",      B "QUI=QUFB\n" E                              },
        {"no padding",              B "QUI\n" E                                   },
        {"padding on its own line", B "QUI\n=\n" E                                },
        {"too much padding",        B "QUI==\n" E                                 },
        {"not canonical",           B "QUJ=\n" E                                  },
        {"68 columns",              B "QUFB" L64 E                                },
        {"65 columns",              B "Q" L64 E                                   },
        {"space before line",       B " QUI=\n" E                                 },
        {"space behind line",       B "QUI= \n" E                                 },
        {"CR within line",          B "QU\rI=\n" E                                },
        {"two CR",                  B "QUI=\r\r\n" E                              },
        {"URL alphabet",            B "QU_-\n" E                                  },
        {"zero in line",            B "QU*=\n" E                                  },
        {"space of 1 KiB before",   S256 S256 S256 S256 "\n" B E                  },
        {"space of 1 KiB behind",   B E S256 S256 S256 S256                       },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", rows[i].name);

        g_assert_null(take_off(rows[i].text, strlen(rows[i].text), 0, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

/* Of an armoured text, no beginning and no changed bit gives the same inside, but for a missing
 * last newline and line ends. */
static void
test_every_cut_is_noticed(void)
{
    g_autoptr(GBytes) plain = age_fixture_pattern(200);
    g_autofree char *text = put_on(plain, 200);

    for (size_t n_text = 0; n_text + 1 < strlen(text); n_text++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(take_off(text, n_text, 0, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

static void
test_no_flipped_bit_leaves_the_inside_alike(void)
{
    g_autoptr(GBytes) plain = age_fixture_pattern(200);
    g_autofree char *text = put_on(plain, 200);
    const size_t n_text = strlen(text);

    for (size_t bit = 0; bit < 8 * (n_text - 1); bit++) {
        g_autofree char *changed = g_strndup(text, n_text);
        changed[bit / 8] = (char) (changed[bit / 8] ^ (char) (1U << bit % 8));
        g_autoptr(GByteArray) inside = take_off(changed, n_text, 0, NULL);
        if (inside == NULL)
            continue;
        g_assert_true(inside->len != 200 ||
                      memcmp(inside->data, g_bytes_get_data(plain, NULL), 200) != 0);
    }
}

static void
test_endless_line_is_refused_early(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *many = g_strnfill(1024 * 1024, 'A');
    g_autofree char *text = g_strconcat(B, many, NULL);

    g_assert_null(take_off(text, strlen(text), 100, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

static void
test_broken_source_and_sink_are_errors(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeTape) tape = age_tape_new(NULL, 0);
    g_autoptr(AgeArmorWriter) writer = age_armor_writer_new(age_tape_write, tape);
    g_autoptr(AgeArmorReader) reader = age_armor_reader_new(age_tape_read, tape);
    uint8_t byte = 0;
    size_t n_read = 0;
    tape->is_broken = true;

    g_assert_false(age_armor_writer_write(writer, &byte, 1, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_false(age_armor_reader_read(reader, &byte, 1, &n_read, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_armor/comes-off-as-it-went-on", test_comes_off_as_it_went_on);
    g_test_add_func("/age_armor/takes-every-form-that-is-allowed",
                    test_takes_every_form_that_is_allowed);
    g_test_add_func("/age_armor/refuses-every-other-form", test_refuses_every_other_form);
    g_test_add_func("/age_armor/every-cut-is-noticed", test_every_cut_is_noticed);
    g_test_add_func("/age_armor/no-flipped-bit-leaves-the-inside-alike",
                    test_no_flipped_bit_leaves_the_inside_alike);
    g_test_add_func("/age_armor/endless-line-is-refused-early", test_endless_line_is_refused_early);
    g_test_add_func("/age_armor/broken-source-and-sink-are-errors",
                    test_broken_source_and_sink_are_errors);
    return g_test_run();
}
