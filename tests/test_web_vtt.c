#include "agent/media/web_vtt.h"

#include <gio/gio.h>
#include <string.h>

static GPtrArray *
parse(const char *text)
{
    GError *error = NULL;
    GPtrArray *cues = web_vtt_parse(text, strlen(text), &error);

    g_assert_no_error(error);
    return cues;
}

static void
test_reads_what_recognisers_write(void)
{
    static const struct {
        const char *name, *text;
        int64_t start_ms, end_ms;
        const char *voice, *said;
    } rows[] = {
        {"plain",          "WEBVTT\n\n00:01.000 --> 00:02.500\nhello\n",                                     1000,    2500,      NULL, "hello"            },
        {"hours",          "WEBVTT\n\n01:00:01.000 --> 123:00:02.500\nhello\n",                              3601000, 442802500, NULL,
         "hello"                                                                                                                                          },
        {"mark and lines",
         "\xef\xbb\xbfWEBVTT head\r\nKind: x\r\n\r\nid 7\r\n00:01.000 --> 00:02.500\r\nhello\r\n",           1000,    2500,      NULL, "hello"            },
        {"looks",          "WEBVTT\n\n00:01.000 --> 00:02.500 align:start line:0\n<b>hel</b>lo\n",           1000,
         2500,                                                                                                                   NULL, "hello"            },
        {"voice",          "WEBVTT\n\n00:01.000 --> 00:02.500\n<v.loud Dr &lt;A&gt;>hello</v>\n",            1000,    2500,
         "Dr <A>",                                                                                                                     "hello"            },
        {"two lines",      "WEBVTT\n\n00:01.000 --> 00:02.500\nhello\n  there &amp; you\n",                  1000,    2500,
         NULL,                                                                                                                         "hello there & you"},
        {"notes",          "WEBVTT\n\nNOTE what\nnot\n\nSTYLE\n::cue{}\n\n00:01.000 --> 00:02.500\nhello\n",
         1000,                                                                                                        2500,      NULL, "hello"            },
        {"no end of line", "WEBVTT\n\n00:01.000 --> 00:02.500\nhello",                                       1000,    2500,      NULL, "hello"            },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) cues = parse(rows[i].text);
        const WebVttCue *cue = cues->len > 0 ? cues->pdata[0] : NULL;

        g_test_message("%s", rows[i].name);
        g_assert_cmpuint(cues->len, ==, 1);
        g_assert_cmpint(cue->start_us, ==, rows[i].start_ms * 1000);
        g_assert_cmpint(cue->end_us, ==, rows[i].end_ms * 1000);
        g_assert_cmpstr(cue->voice, ==, rows[i].voice);
        g_assert_cmpstr(cue->text, ==, rows[i].said);
    }
}

static void
test_refuses_what_is_none(void)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"",                                                                   "line 1: it does not begin"},
        {"WEBVTTx\n",                                                          "line 1: it does not begin"},
        {"hello\n",                                                            "line 1: it does not begin"},
        {"WEBVTT\n\nhello\n",                                                  "should be a cue's time"   },
        {"WEBVTT\n\nhello\nthere\n",                                           "line 4: here should be"   },
        {"WEBVTT\n\n00:02.000 --> 00:01.000\nx\n",                             "line 3: this is no cue's" },
        {"WEBVTT\n\n00:01.000 --> 00:01.000\nx\n",                             "line 3: this is no cue's" },
        {"WEBVTT\n\n00:01 --> 00:02\nx\n",                                     "line 3: this is no cue's" },
        {"WEBVTT\n\n00:01.000-->00:02.000\nx\n",                               "line 3: this is no cue's" },
        {"WEBVTT\n\n00:61.000 --> 00:72.000\nx\n",                             "line 3: this is no cue's" },
        {"WEBVTT\n\n-0:01.000 --> 00:02.000\nx\n",                             "line 3: this is no cue's" },
        {"WEBVTT\n\n999999:00:01.000 --> 999999:00:02.000\nx\n",               "line 3: this is no cue's" },
        {"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n00:03.000 --> 00:04.000\ny\n",
         "empty line is missing"                                                                          },
        {"WEBVTT\n\n00:01.000 --> 00:02.000\nx <v\n",                          "a tag has no end"         },
        {"WEBVTT\n\n00:01.000 --> 00:02.000\n\xff\n",                          "not text in UTF-8"        },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s", rows[i].words);
        g_assert_null(web_vtt_parse(rows[i].text, strlen(rows[i].text), &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
        g_assert_nonnull(strstr(error->message, rows[i].words));
    }
}

/* No word of a visit may reach a log by way of what is wrong with it. */
static void
test_never_repeats_what_was_said(void)
{
    static const char text[] = "WEBVTT\n\n00:01.000 --> 00:02.000\nsecret <words\n";
    g_autoptr(GError) error = NULL;

    g_assert_null(web_vtt_parse(text, strlen(text), &error));
    g_assert_null(strstr(error->message, "secret"));
    g_assert_null(strstr(error->message, "words"));
}

static void
test_writes_one_form_that_reads_the_same(void)
{
    static const char text[] =
        "WEBVTT\n\n00:01.000 --> 00:02.500\n<v A & B>1 &lt; 2 --&gt; &amp;amp;\n";
    g_autoptr(GPtrArray) cues = parse(text);
    g_autofree char *once = web_vtt_write(cues);
    g_autoptr(GPtrArray) again = parse(once);
    g_autofree char *twice = web_vtt_write(again);

    g_assert_cmpstr(once, ==,
                    "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<v A &amp; B>1 &lt; 2 --&gt; "
                    "&amp;amp;\n");
    g_assert_cmpstr(once, ==, twice);
}

static void
test_cleans_to_one_line(void)
{
    g_autofree char *clean = web_vtt_clean("\n a\t\tb\r\n\x01 c\u2028d\u00a0 ");

    g_assert_cmpstr(clean, ==, "a b c d");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/web-vtt/reads-what-recognisers-write", test_reads_what_recognisers_write);
    g_test_add_func("/web-vtt/refuses-what-is-none", test_refuses_what_is_none);
    g_test_add_func("/web-vtt/never-repeats-what-was-said", test_never_repeats_what_was_said);
    g_test_add_func("/web-vtt/writes-one-form-that-reads-the-same",
                    test_writes_one_form_that_reads_the_same);
    g_test_add_func("/web-vtt/cleans-to-one-line", test_cleans_to_one_line);
    return g_test_run();
}
