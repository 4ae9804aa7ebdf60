#include "storage/manifest.h"
#include "storage/manifest_words.h"
#include "storage/storage_error.h"

#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const head = "sealtape-manifest/v1\norg clinic-a\nsession visit-1\npart 2\n"
                                "prev " DIGEST "\nstate closed\n";
static const char *const whole =
    "sealtape-manifest/v1\norg clinic-a\nsession visit-1\npart 2\nprev " DIGEST "\nstate closed\n"
    "policy " DIGEST " permit ok\n"
    "mark quarantined consent-withdrawn\n"
    "track p1-audio audio opus p1 age1abc 1763740000000000 0\n"
    "track p1-video video vp8 p1 age1abd 1763740000000000 12\n"
    "clock p1-audio 0 20000 4294967295\n"
    "seg p1-audio 0 0 0 4000000 hk tp1-audio/0-0.tape 0 1000 " DIGEST "\n"
    "seg p1-audio 0 1 4000000 3990000 ked tp1-audio/0-0.tape 1000 5 " DIGEST "\n"
    "gap p1-video 12 7989988 no-media\n"
    "end p1-audio 2 7990000\nend p1-video 0 7990000\n"
    "count p1-audio 800 776 24 16 8 3 2 1 4 9 6 50 5 7\n"
    "count p1-video 2305843009213693951 0 2305843009213693951 0 0 0 0 0 0\n";

static void
test_writes_what_it_read(void)
{
    GError *error = NULL;
    g_autoptr(ManifestPart) part = manifest_part_parse(whole, &error);
    g_autofree char *again = NULL;
    const ManifestSegment *second = NULL;
    const ManifestCount *count = NULL;

    g_assert_no_error(error);
    again = manifest_part_to_text(part);
    second = g_ptr_array_index(part->segments, 1);
    count = g_ptr_array_index(part->counts, 0);

    g_assert_cmpstr(again, ==, whole);
    g_assert_cmpint(part->state, ==, SESSION_CLOSED);
    g_assert_true(part->has_previous);
    g_assert_cmpuint(part->marks->len, ==, 1);
    g_assert_cmpstr(((const ManifestMark *) part->marks->pdata[0])->mark, ==, "quarantined");
    g_assert_cmpuint(part->tracks->len, ==, 2);
    g_assert_cmpint(second->flags, ==,
                    SEGMENT_FLAG_KEYFRAME | SEGMENT_FLAG_LAST | SEGMENT_FLAG_DAMAGED);
    g_assert_cmpuint(second->offset, ==, 1000);
    g_assert_cmpstr(second->object, ==, "tp1-audio/0-0.tape");
    g_assert_cmpstr(count->track, ==, "p1-audio");
    g_assert_cmpuint(count->counts.n_known, ==, N_TRACK_COUNTS);
    g_assert_cmpuint(track_counts_expected(&count->counts), ==, 800);
    g_assert_cmpuint(count->counts.of[TRACK_COUNT_LATE_KEYFRAMES], ==, 5);
    g_assert_cmpuint(count->counts.of[TRACK_COUNT_UNREADABLE], ==, 7);
    g_assert_cmpuint(count->counts.of[TRACK_COUNT_RECEIVED], ==, 776);
    g_assert_cmpuint(count->counts.of[TRACK_COUNT_LOST], ==, 24);
    g_assert_cmpuint(count->counts.of[TRACK_COUNT_KERNEL_DROPPED], ==, 4);
    /* The other one is from before there were as many numbers. */
    count = g_ptr_array_index(part->counts, 1);
    g_assert_cmpuint(count->counts.n_known, ==, TRACK_COUNTS_BASIC);
}

/* Each version of the recorder that counted more. */
static void
test_reads_counts_of_earlier_recorders(void)
{
    g_autoptr(GString) text = g_string_new(whole);
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(g_string_replace(text, " 4 9 6 50 5 7\n", " 4 9 6 50 5\n", 0), ==, 1);
    g_autoptr(ManifestPart) part = manifest_part_parse(text->str, &error);
    g_assert_no_error(error);
    const ManifestCount *count = g_ptr_array_index(part->counts, 0);
    g_assert_cmpuint(count->counts.n_known, ==, TRACK_COUNTS_SECOND);
    g_assert_cmpuint(count->counts.of[TRACK_COUNT_UNREADABLE], ==, 0);
}

/* Lines that must be refused, each put behind a good head. */
static const char *const bad_lines[] = {
    "",
    "unknown line",
    "mark quarantined",
    "mark quarantined Because",
    "mark quarantined a reason",
    "seg",
    " seg p1-audio 0 0 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST " more",
    "seg p1-audio 0 0 0 1 hk tp1-audio/0-0.tape 0 1",
    "seg p1-audio 0 0 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST "0",
    "seg P1-audio 0 0 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 00 0 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio +0 0 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 -0 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 4294967296 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 -1 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 9223372036854775807 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0x1 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 kh tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hh tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 x tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 -k tp1-audio/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hk tp1-video/0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hk tp1-audio/1-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hk tp1-audio/0-00.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hk tp1-audio/0-0.tape/x 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hk ../0-0.tape 0 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hk tp1-audio/0-0.tape -1 1 " DIGEST,
    "seg p1-audio 0 0 0 1 hk tp1-audio/0-0.tape 0 0 " DIGEST,
    "seg  p1-audio 0 0 0 1 hk tp1-audio/0-0.tape 0 1 " DIGEST,
    "gap p1-audio 0 1 Two",
    "gap p1-audio 0 1",
    "gap p1-audio 0 1 loss loss",
    "gap p1-audio 0 1 loss ",
    "clock p1-audio 0 0 4294967296",
    "end p1-audio 1",
    "end p1-audio -1 5",
    "count p1-audio",
    "count p1-audio 800 776 24 16 8 3 2 1",
    "count p1-audio 800 776 24 16 8 3 2 1 4 0",
    "count p1-audio 800 776 24 16 8 3 2 1 4 0 0 0",
    "count p1-audio 800 776 24 16 8 3 2 1 4 0 0 0 0 0 0",
    "count p1-audio 800 776 24 16 8 3 2 1 4 0 0 0 2305843009213693952",
    "count p1-audio 800 776 24 16 8 3 2 1 4 0 0 0 00",
    "count P1-audio 800 776 24 16 8 3 2 1 4",
    "count p1-audio 801 776 24 16 8 3 2 1 4",
    "count p1-audio 0800 776 24 16 8 3 2 1 4",
    "count p1-audio 800 776 24 -16 8 3 2 1 4",
    "count p1-audio 800 776 24 +16 8 3 2 1 4",
    "count p1-audio 800 776 24 16 8 3 2 1 04",
    "count p1-audio 800 776 24 16 8 3 2 1 x",
    "count p1-audio 800 776 24 16 8 3 2 1 ",
    "count p1-audio 800 776 24 16 8 3 2  4",
    "count p1-audio 1 1 0 0 0 0 0 0 2305843009213693952",
    "count p1-audio 9223372036854775808 9223372036854775808 0 0 0 0 0 0 0",
    "count p1-audio 0 18446744073709551615 1 0 0 0 0 0 0",
    "track p1-audio audio opus p1 age1abc 1763740000000000",
    "track p1-audio audio opus P 1 age1abc 1763740000000000 0",
    "track p1-audio audio opus p1 age1abc 01 0",
    "policy",
    "policy 0123",
    "policy " DIGEST " ",
    "policy " DIGEST "  two",
    "policy " DIGEST " \t",
    "org clinic-b",
};

static void
test_refuses_malformed_lines(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_lines); i++) {
        g_autofree char *text = g_strdup_printf("%s%s\n", head, bad_lines[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(ManifestPart) part = manifest_part_parse(text, &error);

        if (part != NULL)
            g_test_message("accepted: %s", bad_lines[i]);
        g_assert_null(part);
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
        g_assert_nonnull(strstr(error->message, "line 7"));
    }
}

/* Each line of the head, spoilt in its turn. */
static const struct {
    guint line;
    const char *text;
} bad_heads[] = {
    {1, "sealtape-manifest/v2" },
    {1, "sealtape-manifest/v1 "},
    {2, "org Clinic"           },
    {2, "org"                  },
    {2, "session visit-1"      },
    {3, "session a b"          },
    {3, "session "             },
    {4, "part 0"               },
    {4, "part 02"              },
    {4, "part 4294967296"      },
    {5, "prev " DIGEST "0"     },
    {5, "prev none"            },
    {5, "prev"                 },
    {6, "state Closed"         },
    {6, "state"                },
    {6, "state open closed"    },
};

static void
test_refuses_a_malformed_head(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_heads); i++) {
        g_auto(GStrv) lines = g_strsplit(head, "\n", -1);
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *named = g_strdup_printf("line %u", bad_heads[i].line);

        g_free(lines[bad_heads[i].line - 1]);
        lines[bad_heads[i].line - 1] = g_strdup(bad_heads[i].text);
        text = g_strjoinv("\n", lines);
        g_assert_null(manifest_part_parse(text, &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
        g_assert_nonnull(strstr(error->message, named));
    }
}

static void
test_refuses_lines_out_of_order(void)
{
    g_autofree char *text = g_strconcat(head, "end p1-audio 0 0\n", "policy " DIGEST "\n", NULL);
    g_autofree char *counts =
        g_strconcat(head, "count p1-audio 0 0 0 0 0 0 0 0 0\n", "end p1-audio 0 0\n", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(manifest_part_parse(text, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    g_clear_error(&error);
    g_assert_null(manifest_part_parse(counts, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
}

static void
test_refuses_every_cut_of_a_line(void)
{
    for (size_t length = 0; length < strlen(whole); length++) {
        g_autofree char *text = g_strndup(whole, length);
        g_autoptr(ManifestPart) part = NULL;

        /* A cut between two lines leaves a text that is well-formed; the signature is what tells.
         */
        if (length > strlen(head) - 1 && text[length - 1] == '\n')
            continue;
        part = manifest_part_parse(text, NULL);
        g_assert_null(part);
    }
}

/* Whatever is flipped, what is read says exactly what the bytes say: there are no two spellings. */
static void
test_every_flip_is_refused_or_read_as_it_stands(void)
{
    g_autofree char *text = g_strdup(whole);

    for (size_t i = 0; i < strlen(whole); i++) {
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            g_autoptr(ManifestPart) part = NULL;
            g_autofree char *again = NULL;

            text[i] = (char) ((unsigned char) whole[i] ^ bit);
            part = manifest_part_parse(text, NULL);
            if (part != NULL)
                again = manifest_part_to_text(part);
            if (part != NULL)
                g_assert_cmpstr(again, ==, text);
        }
        text[i] = whole[i];
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manifest/writes-what-it-read", test_writes_what_it_read);
    g_test_add_func("/manifest/reads-counts-of-earlier-recorders",
                    test_reads_counts_of_earlier_recorders);
    g_test_add_func("/manifest/refuses-malformed-lines", test_refuses_malformed_lines);
    g_test_add_func("/manifest/refuses-a-malformed-head", test_refuses_a_malformed_head);
    g_test_add_func("/manifest/refuses-lines-out-of-order", test_refuses_lines_out_of_order);
    g_test_add_func("/manifest/refuses-every-cut-of-a-line", test_refuses_every_cut_of_a_line);
    g_test_add_func("/manifest/every-flip-is-refused-or-read-as-it-stands",
                    test_every_flip_is_refused_or_read_as_it_stands);
    return g_test_run();
}
