#include "agent/recorder/session_request.h"
#include "crypto/crypto_error.h"

#include <string.h>

#define PEOPLE "\"participants\":[{\"id\":\"p1\",\"role\":\"provider\",\"consents\":[]}]"
#define AUDIO                                                                                      \
    "{\"id\":\"a\",\"participant\":\"p1\",\"kind\":\"audio\",\"codec\":\"opus\",\"payload_type\":" \
    "111,"                                                                                         \
    "\"clock_rate\":48000,\"channels\":2}"

static json_t *
parse(const char *text)
{
    json_error_t fault;
    json_t *form = json_loads(text, JSON_REJECT_DUPLICATES, &fault);

    if (form == NULL)
        g_error("the test's own JSON is wrong: %s in %s", fault.text, text);
    return form;
}

static void
test_reads_a_whole_session(void)
{
    json_t *form =
        parse("{\"org\":\"clinic-a\",\"reference\":\"visit-4711\"," PEOPLE ",\"tracks\":[" AUDIO
              ",{\"id\":\"v\",\"participant\":\"p1\",\"kind\":\"video\",\"codec\":"
              "\"VP8\",\"payload_type\":96,\"clock_rate\":90000}]}");
    g_autofree char *fault = NULL;
    g_autoptr(SessionRequest) request = session_request_parse(form, &fault);
    const TrackRequest *video = NULL;

    json_decref(form);
    g_assert_cmpstr(fault, ==, NULL);
    g_assert_cmpstr(request->org, ==, "clinic-a");
    g_assert_cmpstr(request->reference, ==, "visit-4711");
    g_assert_true(participants_contain(request->participants, "p1"));
    g_assert_cmpuint(request->tracks->len, ==, 2);
    video = g_ptr_array_index(request->tracks, 1);
    g_assert_cmpstr(video->id, ==, "v");
    g_assert_cmpint(video->format.codec, ==, MEDIA_CODEC_VP8);
    g_assert_cmpuint(video->format.payload_type, ==, 96);
    g_assert_cmpuint(video->format.clock_rate, ==, 90000);
}

/* What is wrong, and a word of the sentence that has to name it. */
static const struct {
    const char *body;
    const char *named;
} faults[] = {
    {"{}",                                                                                         "\"org\" is missing"   },
    {"[]",                                                                                         "object"               },
    {"{\"org\":7," PEOPLE "}",                                                                     "\"org\" must be"      },
    {"{\"org\":\"Clinic A\"," PEOPLE "}",                                                          "\"org\" must be"      },
    {"{\"org\":\"../x\"," PEOPLE "}",                                                              "\"org\" must be"      },
    {"{\"org\":\"c\"}",                                                                            "\"participants\""     },
    {"{\"org\":\"c\",\"participants\":{}}",                                                        "\"participants\""     },
    {"{\"org\":\"c\",\"participants\":[7]}",                                                       "participants[0]"      },
    {"{\"org\":\"c\",\"participants\":[{\"id\":\"p\"}]}",                                          "\"role\" is missing"  },
    {"{\"org\":\"c\",\"participants\":[{\"id\":\"P 1\",\"role\":\"client\"}]}",                    "\"id\""               },
    {"{\"org\":\"c\",\"participants\":[{\"id\":\"p\",\"role\":\"client\"},"
     "{\"id\":\"p\",\"role\":\"client\"}]}",                                                  "there already"        },
    {"{\"org\":\"c\",\"participants\":[{\"id\":\"p\",\"role\":\"client\",\"consents\":[{}]}]}",
     "consents[0] of participant p"                                                                                       },
    {"{\"org\":\"c\",\"participants\":[{\"id\":\"p\",\"role\":\"client\",\"consents\":[{"
     "\"purpose\":\"record-audio\",\"state\":\"granted\",\"at\":\"yesterday\"}]}]}",          "\"at\" must be a time"},
    {"{\"org\":\"c\"," PEOPLE ",\"trakcs\":[]}",                                                   "\"trakcs\""           },
    {"{\"org\":\"c\"," PEOPLE ",\"tracks\":{}}",                                                   "\"tracks\""           },
    {"{\"org\":\"c\"," PEOPLE ",\"tracks\":[" AUDIO "," AUDIO "]}",                                "a track a already"    },
    {"{\"org\":\"c\"," PEOPLE ",\"reference\":7}",                                                 "\"reference\""        },
    {"{\"org\":\"c\"," PEOPLE ",\"source\":{\"type\":\"janus\"}}",                                 "\"source\""           },
    {"{\"org\":\"c\"," PEOPLE ",\"source\":{\"type\":\"janus\",\"room\":0}}",
     "\"room\" must be a positive"                                                                                        },
    {"{\"org\":\"c\"," PEOPLE ",\"source\":{\"type\":\"janus\",\"room\":\"\"}}",
     "\"room\" must be a positive"                                                                                        },
    {"{\"org\":\"c\"," PEOPLE ",\"source\":{\"type\":\"janus\",\"room\":1,\"secret\":\"s\"}}",
     "\"secret\" is not a known member"                                                                                   },
    {"{\"org\":\"c\"," PEOPLE ",\"source\":{\"type\":\"janus\",\"room\":1,\"ends_with_room\":0}}",
     "must be true or false"                                                                                              },
    {"{\"org\":\"c\"," PEOPLE ",\"source\":{\"type\":7}}",                                         "\"type\" must be"     },
    {"{\"org\":\"c\"," PEOPLE ",\"source\":7}",                                                    "\"type\" must be"     },
};

static void
test_names_what_is_wrong(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        json_t *form = parse(faults[i].body);
        g_autofree char *fault = NULL;

        g_assert_null(session_request_parse(form, &fault));
        g_assert_nonnull(fault);
        if (strstr(fault, faults[i].named) == NULL)
            g_error("%s: \"%s\" does not say %s", faults[i].body, fault, faults[i].named);
        json_decref(form);
    }
}

/* One member of a good track changed. */
static const struct {
    const char *name, *value;
    const char *named;
} track_faults[] = {
    {"id",           "\"\"",      "\"id\""           },
    {"id",           "\"A/B\"",   "\"id\""           },
    {"participant",  "\"p2\"",    "no participant p2"},
    {"kind",         "\"text\"",  "\"kind\""         },
    {"kind",         "\"video\"", "opus is not video"},
    {"codec",        "\"av1\"",   "depayloader"      },
    {"codec",        "\"speex\"", "\"codec\""        },
    {"codec",        "7",         "\"codec\""        },
    {"payload_type", "128",       "0 to 127"         },
    {"payload_type", "-1",        "0 to 127"         },
    {"payload_type", "\"111\"",   "integer"          },
    {"payload_type", "111.5",     "integer"          },
    {"clock_rate",   "0",         "\"clock_rate\""   },
    {"clock_rate",   "90000",     "48000"            },
    {"channels",     "3",         "\"channels\""     },
    {"srtp",         "{}",        "\"srtp\""         },
    {"srtp",         "null",      "\"srtp\""         },
    {"colour",       "\"red\"",   "\"colour\""       },
};

static void
test_names_what_is_wrong_with_a_track(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(track_faults); i++) {
        json_t *people = parse("{\"id\":\"p1\",\"role\":\"provider\"}");
        json_t *form = parse(AUDIO);
        g_autoptr(Participants) participants = participants_new();
        g_autofree char *fault = participants_add(participants, people);

        g_assert_null(fault);
        json_object_set_new(form, track_faults[i].name,
                            json_loads(track_faults[i].value, JSON_DECODE_ANY, NULL));
        g_assert_null(track_request_parse(form, participants, &fault));
        if (fault == NULL || strstr(fault, track_faults[i].named) == NULL) {
            g_error("%s = %s: \"%s\" does not say %s", track_faults[i].name, track_faults[i].value,
                    fault, track_faults[i].named);
        }
        json_decref(form);
        json_decref(people);
    }
}

/* What RFC 3551 says need not be said again. */
static void
test_knows_static_payload_types(void)
{
    static const struct {
        const char *codec;
        unsigned payload_type;
    } rows[] = {
        {"pcmu", 0},
        {"pcma", 8},
        {"g722", 9},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        json_t *people = parse("{\"id\":\"p1\",\"role\":\"provider\"}");
        json_t *form = json_pack("{ss,ss,ss,ss,si}", "id", "a", "participant", "p1", "kind",
                                 "audio", "codec", rows[i].codec, "clock_rate", 8000);
        g_autoptr(Participants) participants = participants_new();
        g_autofree char *fault = participants_add(participants, people);

        g_assert_null(fault);
        g_autoptr(TrackRequest) track = track_request_parse(form, participants, &fault);
        g_assert_cmpstr(fault, ==, NULL);
        g_assert_cmpuint(track->format.payload_type, ==, rows[i].payload_type);
        g_assert_cmpuint(track->format.channels, ==, 1);
        json_decref(form);
        json_decref(people);
    }
}

static void
test_a_track_may_ask_for_srtp(void)
{
    json_t *people = parse("{\"id\":\"p1\",\"role\":\"provider\"}");
    json_t *form = parse(AUDIO);
    g_autoptr(Participants) participants = participants_new();
    g_autofree char *fault = participants_add(participants, people);
    g_autoptr(GError) error = NULL;

    g_assert_true(crypto_start(&error));
    g_autoptr(TrackRequest) plain = track_request_parse(form, participants, &fault);
    g_assert_null(plain->srtp);
    json_object_set_new(form, "srtp",
                        parse("{\"suite\":\"AEAD_AES_128_GCM\",\"key\":\"AAECAwQFBgcICQoLDA0O"
                              "D6ChoqOkpaanqKmqqw==\"}"));
    g_autoptr(TrackRequest) sealed = track_request_parse(form, participants, &fault);

    g_assert_cmpstr(fault, ==, NULL);
    g_assert_cmpint(srtp_key_suite(sealed->srtp), ==, SRTP_SUITE_AEAD_AES_128_GCM);
    g_assert_cmpuint(secret_length(srtp_key_secret(sealed->srtp)), ==, 28);
    json_decref(form);
    json_decref(people);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/session-request/reads-a-whole-session", test_reads_a_whole_session);
    g_test_add_func("/session-request/names-what-is-wrong", test_names_what_is_wrong);
    g_test_add_func("/session-request/names-what-is-wrong-with-a-track",
                    test_names_what_is_wrong_with_a_track);
    g_test_add_func("/session-request/knows-static-payload-types", test_knows_static_payload_types);
    g_test_add_func("/session-request/a-track-may-ask-for-srtp", test_a_track_may_ask_for_srtp);
    return g_test_run();
}
