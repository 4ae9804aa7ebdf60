#include "agent/recorder/track_request.h"
#include "crypto/crypto_error.h"

#include <string.h>

#define AUDIO                                                                                      \
    "{\"id\":\"a\",\"participant\":\"p1\",\"kind\":\"audio\",\"codec\":\"opus\",\"payload_type\":" \
    "111,"                                                                                         \
    "\"clock_rate\":48000,\"channels\":2}"
#define VIDEO                                                                                      \
    "{\"id\":\"v\",\"participant\":\"p1\",\"kind\":\"video\",\"codec\":\"vp8\",\"payload_type\":"  \
    "96,"                                                                                          \
    "\"clock_rate\":90000}"

static json_t *
parse(const char *text)
{
    json_error_t fault;
    json_t *form = json_loads(text, JSON_REJECT_DUPLICATES, &fault);

    if (form == NULL)
        g_error("the test's own JSON is wrong: %s in %s", fault.text, text);
    return form;
}

/* One member of a good track changed. */
static const struct {
    const char *name, *value;
    const char *named;
} track_faults[] = {
    {"id",              "\"\"",                              "\"id\""                                                    },
    {"id",              "\"A/B\"",                           "\"id\""                                                    },
    {"participant",     "\"p2\"",                            "no participant p2"                                         },
    {"kind",            "\"text\"",                          "\"kind\""                                                  },
    {"kind",            "\"video\"",                         "opus is not video"                                         },
    {"codec",           "\"av1\"",                           "depayloader"                                               },
    {"codec",           "\"speex\"",                         "\"codec\""                                                 },
    {"codec",           "7",                                 "\"codec\""                                                 },
    {"payload_type",    "128",                               "0 to 127"                                                  },
    {"payload_type",    "-1",                                "0 to 127"                                                  },
    {"payload_type",    "\"111\"",                           "integer"                                                   },
    {"payload_type",    "111.5",                             "integer"                                                   },
    {"clock_rate",      "0",                                 "\"clock_rate\""                                            },
    {"clock_rate",      "90000",                             "48000"                                                     },
    {"channels",        "3",                                 "\"channels\""                                              },
    {"srtp",            "{}",                                "\"srtp\""                                                  },
    {"srtp",            "null",                              "\"srtp\""                                                  },
    {"colour",          "\"red\"",                           "\"colour\""                                                },
    {"rtx",             "97",                                "\"rtx\": must be an object"                                },
    {"rtx",             "{}",                                "\"rtx\": \"payload_type\" is missing"                      },
    {"rtx",             "{\"payload_type\":111}",            "\"rtx\": payload type 111 is declared twice"               },
    {"rtx",             "{\"payload_type\":128}",            "\"rtx\": \"payload_type\" must be an integer from 0 to 127"},
    {"rtx",             "{\"payload_type\":97,\"ssrc\":-1}",
     "\"rtx\": \"ssrc\" must be an integer from 0 to 4294967295"                                                         },
    {"rtx",             "{\"payload_type\":97,\"apt\":96}",  "\"rtx\": \"apt\" is not a known member"                    },
    {"red",             "{\"payload_type\":63,\"ssrc\":1}",  "\"red\": \"ssrc\" is not a known member"                   },
    {"red",             "{\"payload_type\":-1}",             "\"red\""                                                   },
    {"ulpfec",          "true",                              "\"ulpfec\": must be an object"                             },
    {"telephone_event", "[126]",                             "\"telephone_event\": must be an object"                    },
    {"feedback",        "\"pli\"",                           "\"feedback\" must be a list"                               },
    {"feedback",        "[\"nack\"]",                        "\"feedback\" must be a list of \"pli\" and \"fir\""        },
    {"feedback",        "[7]",                               "\"feedback\""                                              },
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

static TrackRequest *
parse_with(const char *base, const char *more)
{
    json_t *people = parse("{\"id\":\"p1\",\"role\":\"provider\"}");
    json_t *form = parse(base);
    json_t *members = parse(more);
    g_autoptr(Participants) participants = participants_new();
    g_autofree char *fault = participants_add(participants, people);
    TrackRequest *track = NULL;

    json_object_update(form, members);
    track = track_request_parse(form, participants, &fault);
    g_assert_cmpstr(fault, ==, NULL);
    json_decref(members);
    json_decref(form);
    json_decref(people);
    return track;
}

static void
test_declares_other_payload_types(void)
{
    g_autoptr(TrackRequest) plain = parse_with(AUDIO, "{}");
    g_autoptr(TrackRequest) rich =
        parse_with(AUDIO, "{\"rtx\":{\"payload_type\":97,\"ssrc\":4294967295},"
                          "\"red\":{\"payload_type\":63},\"ulpfec\":{\"payload_type\":117},"
                          "\"telephone_event\":{\"payload_type\":126}}");

    for (unsigned type = 0; type < 128; type++) {
        g_assert_cmpint(plain->roles.of[type], ==, type == 13 ? RTP_ROLE_BESIDE : RTP_ROLE_FOREIGN);
    }
    g_assert_false(plain->roles.has_rtx_ssrc);
    g_assert_cmpint(rich->roles.of[97], ==, RTP_ROLE_RTX);
    g_assert_cmpint(rich->roles.of[63], ==, RTP_ROLE_RED);
    g_assert_cmpint(rich->roles.of[117], ==, RTP_ROLE_BESIDE);
    g_assert_cmpint(rich->roles.of[126], ==, RTP_ROLE_BESIDE);
    g_assert_cmpint(rich->roles.of[13], ==, RTP_ROLE_BESIDE);
    g_assert_cmpint(rich->roles.of[111], ==, RTP_ROLE_FOREIGN); /* its own, known elsewhere */
    g_assert_true(rich->roles.has_rtx_ssrc);
    g_assert_cmpuint(rich->roles.rtx_ssrc, ==, UINT32_MAX);
}

/* Pictures have no comfort noise and no telephone. */
static void
test_pictures_have_their_own_rules(void)
{
    g_autoptr(TrackRequest) video = parse_with(VIDEO, "{}");
    json_t *people = parse("{\"id\":\"p1\",\"role\":\"provider\"}");
    json_t *form = parse(VIDEO);
    g_autoptr(Participants) participants = participants_new();
    g_autofree char *fault = participants_add(participants, people);

    g_assert_cmpint(video->roles.of[13], ==, RTP_ROLE_FOREIGN);
    json_object_set_new(form, "telephone_event", parse("{\"payload_type\":126}"));
    g_assert_null(track_request_parse(form, participants, &fault));
    g_assert_nonnull(strstr(fault, "\"telephone_event\": goes with \"kind\" \"audio\" only"));
    json_decref(form);
    json_decref(people);
}

static void
test_says_which_feedback_is_understood(void)
{
    g_autoptr(TrackRequest) usual = parse_with(VIDEO, "{}");
    g_autoptr(TrackRequest) none = parse_with(VIDEO, "{\"feedback\":[]}");
    g_autoptr(TrackRequest) fir = parse_with(VIDEO, "{\"feedback\":[\"fir\"]}");
    g_autoptr(TrackRequest) both = parse_with(VIDEO, "{\"feedback\":[\"pli\",\"fir\"]}");

    g_assert_cmpuint(usual->feedback, ==, RTCP_FEEDBACK_PLI);
    g_assert_cmpuint(none->feedback, ==, 0);
    g_assert_cmpuint(fir->feedback, ==, RTCP_FEEDBACK_FIR);
    g_assert_cmpuint(both->feedback, ==, RTCP_FEEDBACK_PLI | RTCP_FEEDBACK_FIR);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/track-request/names-what-is-wrong", test_names_what_is_wrong_with_a_track);
    g_test_add_func("/track-request/knows-static-payload-types", test_knows_static_payload_types);
    g_test_add_func("/track-request/may-ask-for-srtp", test_a_track_may_ask_for_srtp);
    g_test_add_func("/track-request/declares-other-payload-types",
                    test_declares_other_payload_types);
    g_test_add_func("/track-request/pictures-have-their-own-rules",
                    test_pictures_have_their_own_rules);
    g_test_add_func("/track-request/says-which-feedback-is-understood",
                    test_says_which_feedback_is_understood);
    return g_test_run();
}
