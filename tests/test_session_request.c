#include "agent/recorder/session_request.h"

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
    json_t *form = parse("{\"org\":\"clinic-a\",\"reference\":\"visit-4711\",\"service\":"
                         "\"mental-health\"," PEOPLE ",\"tracks\":[" AUDIO
                         ",{\"id\":\"v\",\"participant\":\"p1\",\"kind\":\"video\",\"codec\":"
                         "\"VP8\",\"payload_type\":96,\"clock_rate\":90000}]}");
    g_autofree char *fault = NULL;
    g_autoptr(SessionRequest) request = session_request_parse(form, &fault);
    const TrackRequest *video = NULL;

    json_decref(form);
    g_assert_cmpstr(fault, ==, NULL);
    g_assert_cmpstr(request->org, ==, "clinic-a");
    g_assert_cmpstr(request->reference, ==, "visit-4711");
    g_assert_cmpstr(request->service, ==, "mental-health");
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
    {"{\"org\":\"c\"," PEOPLE ",\"service\":7}",                                                   "\"service\" must be"  },
    {"{\"org\":\"c\"," PEOPLE ",\"service\":\"\"}",                                                "\"service\" must be"  },
    {"{\"org\":\"c\"," PEOPLE ",\"service\":\"*\"}",                                               "\"service\" must be"  },
    {"{\"org\":\"c\"," PEOPLE ",\"service\":\"Mental health\"}",                                   "\"service\" must be"  },
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/session-request/reads-a-whole-session", test_reads_a_whole_session);
    g_test_add_func("/session-request/names-what-is-wrong", test_names_what_is_wrong);
    return g_test_run();
}
