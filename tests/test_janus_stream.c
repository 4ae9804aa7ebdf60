#include "agent/recorder/janus_stream.h"

#include <glib.h>
#include <locale.h>

static json_t *
parsed(const char *text)
{
    json_t *form = json_loads(text, 0, NULL);

    g_assert_nonnull(form);
    return form;
}

static void
test_only_sound_and_picture_are_active(void)
{
    static const struct {
        const char *text;
        bool is_active;
    } rows[] = {
        {"{\"type\":\"audio\",\"mid\":\"0\",\"codec\":\"opus\"}", true },
        {"{\"type\":\"video\",\"mid\":\"1\"}",                    true },
        {"{\"type\":\"video\",\"mid\":\"1\",\"disabled\":true}",  false},
        {"{\"type\":\"video\",\"mid\":1}",                        false},
        {"{\"type\":\"video\"}",                                  false},
        {"{\"type\":\"data\",\"mid\":\"2\"}",                     false},
        {"{\"mid\":\"2\"}",                                       false},
        {"[]",                                                    false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        json_t *listed = parsed(rows[i].text);

        g_assert_true(janus_stream_is_active(listed) == rows[i].is_active);
        json_decref(listed);
    }
}

static void
test_asks_for_what_the_codec_needs(void)
{
    json_t *listed =
        parsed("{\"type\":\"video\",\"mid\":\"1\",\"codec\":\"VP8\",\"simulcast\":true}");
    json_t *wanted_track =
        parsed("{\"id\":\"t\",\"participant\":\"p\",\"kind\":\"video\",\"codec\":\"vp8\","
               "\"payload_type\":96,\"clock_rate\":90000,\"channels\":1}");
    json_t *wanted_row = parsed("{\"mid\":\"1\",\"host\":\"h\",\"port\":4000,\"rtcp_port\":4001,"
                                "\"pt\":96,\"simulcast\":true}");
    JanusStream *stream = janus_stream_new(listed);
    char *fault = NULL;
    json_t *track = janus_stream_track(stream, "t", "p", &fault);
    json_t *row = janus_stream_forward(stream, "h", 4000);

    g_assert_null(fault);
    g_assert_true(json_equal(track, wanted_track));
    g_assert_true(json_equal(row, wanted_row));

    json_decref(track);
    json_decref(row);
    json_decref(wanted_track);
    json_decref(wanted_row);
    json_decref(listed);
    janus_stream_free(stream);
}

static void
test_sound_needs_no_keyframes(void)
{
    json_t *listed = parsed("{\"type\":\"audio\",\"mid\":\"0\",\"codec\":\"opus\"}");
    json_t *wanted = parsed("{\"mid\":\"0\",\"host\":\"h\",\"port\":4000,\"pt\":111}");
    JanusStream *stream = janus_stream_new(listed);
    json_t *row = janus_stream_forward(stream, "h", 4000);

    g_assert_true(json_equal(row, wanted));

    json_decref(row);
    json_decref(wanted);
    json_decref(listed);
    janus_stream_free(stream);
}

/* Of no codec that is known here, and of one that carries something else. */
static void
test_names_what_can_not_be_recorded(void)
{
    static const char *const codecs[] = {"av1", "opus"};

    for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
        json_t *listed =
            json_pack("{s:s, s:s, s:s}", "type", "video", "mid", "1", "codec", codecs[i]);
        JanusStream *stream = janus_stream_new(listed);
        g_autofree char *wanted = g_strdup_printf("the codec %s can not be recorded", codecs[i]);
        g_autofree char *fault = NULL;

        g_assert_null(janus_stream_track(stream, "t", "p", &fault));
        g_assert_cmpstr(fault, ==, wanted);
        json_decref(listed);
        janus_stream_free(stream);
    }
}

static void
test_another_codec_is_another_stream(void)
{
    json_t *listed = parsed("{\"type\":\"video\",\"mid\":\"1\",\"codec\":\"vp8\"}");
    json_t *other = parsed("{\"type\":\"video\",\"mid\":\"1\",\"codec\":\"h264\"}");
    json_t *moved = parsed("{\"type\":\"video\",\"mid\":\"2\",\"codec\":\"vp8\"}");
    JanusStream *stream = janus_stream_new(listed);

    g_assert_true(janus_stream_is(stream, listed));
    g_assert_false(janus_stream_is(stream, other));
    g_assert_false(janus_stream_is(stream, moved));

    json_decref(listed);
    json_decref(other);
    json_decref(moved);
    janus_stream_free(stream);
}

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "C");
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/janus-stream/only-sound-and-picture-are-active",
                    test_only_sound_and_picture_are_active);
    g_test_add_func("/janus-stream/asks-for-what-the-codec-needs",
                    test_asks_for_what_the_codec_needs);
    g_test_add_func("/janus-stream/sound-needs-no-keyframes", test_sound_needs_no_keyframes);
    g_test_add_func("/janus-stream/names-what-can-not-be-recorded",
                    test_names_what_can_not_be_recorded);
    g_test_add_func("/janus-stream/another-codec-is-another-stream",
                    test_another_codec_is_another_stream);
    return g_test_run();
}
