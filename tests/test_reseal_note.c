#include "storage/reseal_note.h"
#include "storage/storage_error.h"

#include <string.h>

#define D "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define E "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

/* One text, line by line, so that a test can take one away or put another in its place. */
static const char *const good[] = {
    "sealtape-reseal/v1",
    "org clinic-a",
    "session visit-1",
    "number 2",
    "prev " E,
    "manifest 2 " D,
    "at 2026-11-29T19:00:00Z",
    "by unix:ann",
    "software sealtape/0.1.0",
    "against 9070eb924f1c2d3e",
    "envelope 3 " E,
    "gone 1 " D,
    "gone 2 " E,
    "track p1-audio age1old age1new",
    "track p1-video age1older age1newer",
    "seg p1-audio 0 0 " D " r3/tp1-audio/0-0.tape 0 300 " E,
    "seg p1-audio 0 1 " E " r3/tp1-audio/0-0.tape 300 280 " D,
    "past r3/tp1-audio/0-0.past " E,
    "said " D " " D " " E,
};

/* Returns: the text with `line` in the place of line `at`; NULL: without it. Owned. */
static char *
text_with(size_t at, const char *line)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        const char *one = i == at ? line : good[i];

        if (one != NULL)
            g_string_append_printf(text, "%s\n", one);
    }
    return g_string_free(text, false);
}

static void
test_writes_what_it_read(void)
{
    g_autofree char *text = text_with(G_MAXSIZE, NULL);
    GError *error = NULL;
    g_autoptr(ResealNote) note = reseal_note_parse(text, &error);
    g_autofree char *again = NULL;
    const ResealSegment *second = NULL;

    g_assert_no_error(error);
    again = reseal_note_to_text(note);
    g_assert_cmpstr(again, ==, text);

    g_assert_cmpuint(note->number, ==, 2);
    g_assert_cmpuint(note->n_parts, ==, 2);
    g_assert_cmpuint(note->envelope.generation, ==, 3);
    g_assert_cmpuint(note->gone->len, ==, 2);
    g_assert_cmpuint(note->tracks->len, ==, 2);
    second = note->segments->pdata[1];
    g_assert_cmpuint(second->index, ==, 1);
    g_assert_cmpuint(second->offset, ==, 300);
    g_assert_cmpuint(second->length, ==, 280);
    g_assert_cmpuint(note->said->len, ==, 1);
}

/* `line`: in the place of the good line `at`; NULL: that one is missing. */
static const struct {
    size_t at;
    const char *line;
} bad[] = {
    {0,  "sealtape-reseal/v2"                                       },
    {0,  NULL                                                       },
    {1,  "org Clinic"                                               },
    {1,  "org clinic-a b"                                           },
    {1,  NULL                                                       },
    {2,  NULL                                                       },
    {3,  "number 0"                                                 },
    {3,  "number 1"                                                 }, /* and names one before */
    {3,  "number 02"                                                },
    {3,  "number 4294967296"                                        },
    {4,  "prev -"                                                   },
    {4,  "prev " D "0"                                              },
    {5,  "manifest 0 " D                                            },
    {5,  "manifest 2 -"                                             },
    {6,  "at 2026-11-29T20:00:00+01:00"                             },
    {6,  "at yesterday"                                             },
    {7,  "by "                                                      },
    {7,  "by Dr. Ann"                                               },
    {8,  NULL                                                       },
    {9,  "against 9070EB924f1c2d3e"                                 },
    {9,  "against 9070eb92"                                         },
    {9,  "against -"                                                },
    {10, "envelope 0 " E                                            },
    {10, NULL                                                       },
    {11, "gone 3 " D                                                }, /* the new one */
    {11, "gone 2 " D                                                }, /* twice */
    {12, "gone 1 " D                                                },
    {12, "envelope 3 " E                                            }, /* twice */
    {13, "track p1-audio age1same age1same"                         }, /* nothing new */
    {13, "track P1 age1old age1new"                                 },
    {13, "track p1-audio age1old"                                   },
    {15, "seg p1-audio 0 0 " D " r3/tp1-audio/0-0.tape 0 300"       },
    {15, "seg p1-audio 0 0 " D " r2/tp1-audio/0-0.tape 0 300 " E    }, /* of another one */
    {15, "seg p1-audio 0 0 " D " tp1-audio/0-0.tape 0 300 " E       },
    {15, "seg p1-audio 0 0 " D " r3/t/../0-0.tape 0 300 " E         },
    {15, "seg p1-audio 0 0 " D " r3/tp1-audio/0-0.past 0 300 " E    },
    {15, "seg p1-audio 0 -1 " D " r3/tp1-audio/0-0.tape 0 300 " E   },
    {15, "seg p1-audio 0 0 " D " r3/tp1-audio/0-0.tape +0 300 " E   },
    {15, "seg p1-audio 0 0 " D " r3/tp1-audio/0-0.tape 0 300 " E " "},
    {17, "past r3/tp1-audio/0-0.tape " E                            },
    {17, "past ../../other/visit/r3/t.past " E                      },
    {18, "said " D " " D                                            },
    {18, "sung " D " " D " " E                                      },
    {18, ""                                                         },
    {18, "track p1-text age1old age1new"                            }, /* out of order */
};

static void
test_refuses_what_it_does_not_know(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text = text_with(bad[i].at, bad[i].line);
        g_autoptr(GError) error = NULL;
        g_autoptr(ResealNote) note = reseal_note_parse(text, &error);

        g_test_message("line %zu: %s", bad[i].at + 1, bad[i].line != NULL ? bad[i].line : "-");
        g_assert_null(note);
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    }
}

/* Without what it took the place of, or without a track, it says nothing. */
static void
test_refuses_every_cut(void)
{
    g_autofree char *text = text_with(G_MAXSIZE, NULL);

    for (size_t i = 0; i < strlen(text); i++) {
        g_autofree char *cut = g_strndup(text, i);
        g_autoptr(ResealNote) note = reseal_note_parse(cut, NULL);

        g_assert_true(note == NULL || (cut[i - 1] == '\n' && note->tracks->len > 0));
    }
}

/* No byte of it can be another without notice, or it says something else. */
static void
test_has_one_spelling(void)
{
    g_autofree char *text = text_with(G_MAXSIZE, NULL);

    /* Two bits of each byte, one of them that of its case. */
    for (size_t i = 0; i < 2 * strlen(text); i++) {
        g_autofree char *changed = g_strdup(text);
        g_autoptr(ResealNote) note = NULL;
        g_autofree char *again = NULL;

        changed[i / 2] = (char) (changed[i / 2] ^ (i % 2 == 0 ? 0x20 : 1 << i / 2 % 8));
        note = reseal_note_parse(changed, NULL);
        again = note != NULL ? reseal_note_to_text(note) : NULL;
        g_assert_true(again == NULL || strcmp(again, changed) == 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reseal-note/writes-what-it-read", test_writes_what_it_read);
    g_test_add_func("/reseal-note/refuses-what-it-does-not-know",
                    test_refuses_what_it_does_not_know);
    g_test_add_func("/reseal-note/refuses-every-cut", test_refuses_every_cut);
    g_test_add_func("/reseal-note/has-one-spelling", test_has_one_spelling);
    return g_test_run();
}
