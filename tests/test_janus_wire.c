#include "agent/recorder/janus_wire.h"

#include <string.h>

/* What Janus may say to the message `t1`, and what is wrong with it; NULL: nothing. */
static const struct {
    const char *reply, *fault;
} rows[] = {
    {"{\"janus\":\"success\",\"transaction\":\"t1\"}",                           NULL                          },
    {"{\"janus\":\"ack\",\"transaction\":\"t1\"}",                               NULL                          },
    {"{\"janus\":\"success\",\"transaction\":\"t2\"}",                           "a transaction nobody began"  },
    {"{\"janus\":\"success\"}",                                                  "a transaction nobody began"  },
    {"{\"janus\":\"success\",\"transaction\":7}",                                "a transaction nobody began"  },
    {"{\"janus\":\"keepalive\",\"transaction\":\"t1\"}",                         "neither success nor an error"},
    {"{\"janus\":1,\"transaction\":\"t1\"}",                                     "an answer without \"janus\"" },
    {"{}",                                                                       "an answer without \"janus\"" },
    {"[]",                                                                       "an answer without \"janus\"" },
    {"{\"janus\":\"error\",\"error\":{\"code\":458,\"reason\":\"No session\"}}",
     "Janus refused: No session (458)"                                                                         },
    {"{\"janus\":\"error\",\"error\":{\"code\":\"x\",\"reason\":[]}}",           "without a reason (0)"        },
    {"{\"janus\":\"error\"}",                                                    "without a reason (0)"        },
};

static void
test_judges_replies(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        json_t *reply = json_loads(rows[i].reply, 0, NULL);
        g_autoptr(GError) fault = janus_wire_fault(reply, "t1");

        g_test_message("%s", rows[i].reply);
        if (rows[i].fault == NULL) {
            g_assert_no_error(fault);
        } else {
            g_assert_nonnull(fault);
            g_assert_nonnull(strstr(fault->message, rows[i].fault));
        }
        json_decref(reply);
    }
}

static void
test_knows_refusals_of_the_plugin(void)
{
    json_t *fine = json_pack("{s:s}", "videoroom", "joined");
    json_t *bad = json_pack("{s:i, s:s}", "error_code", 426, "error", "No such room");
    g_autoptr(GError) none = janus_wire_refusal(fine);
    g_autoptr(GError) refused = janus_wire_refusal(bad);
    json_t *unnumbered = json_pack("{s:s}", "error", "Not today");
    g_autoptr(GError) nonsense = janus_wire_refusal(NULL);
    g_autoptr(GError) also_refused = janus_wire_refusal(unnumbered);

    g_assert_no_error(none);
    g_assert_error(also_refused, JANUS_ERROR, 0);
    g_assert_error(refused, JANUS_ERROR, 426);
    g_assert_cmpstr(refused->message, ==, "Janus refused: No such room (426)");
    g_assert_error(nonsense, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    json_decref(fine);
    json_decref(bad);
    json_decref(unnumbered);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/janus-wire/judges-replies", test_judges_replies);
    g_test_add_func("/janus-wire/knows-refusals-of-the-plugin", test_knows_refusals_of_the_plugin);
    return g_test_run();
}
