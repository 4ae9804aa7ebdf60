#include "agent/recorder/janus_calls.h"
#include "agent/recorder/janus_publishers.h"

#include <string.h>

/* What Janus says, one message a line: whatever it is, each call is answered at most once, and the
 * list of publishers stays within its bounds. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static const char transaction[] = "t1";

static void
take_line(JanusPublishers *publishers, const json_t *message)
{
    g_autoptr(GError) fault = janus_wire_fault(message, transaction);
    const json_t *data = json_object_get(json_object_get(message, "plugindata"), "data");
    g_autoptr(GError) refusal = janus_wire_refusal(data);

    if (fault != NULL)
        g_assert_true(g_utf8_validate(fault->message, -1, NULL) && fault->message[0] != '\0');
    if (refusal != NULL)
        g_assert_true(g_utf8_validate(refusal->message, -1, NULL) && refusal->message[0] != '\0');
    (void) janus_wire_is_acknowledgement(message);
    (void) janus_publishers_take(publishers, json_object_get(data, "publishers"),
                                 json_object_get(data, "room") != NULL);
    if (json_object_get(data, "unpublished") != NULL)
        janus_publishers_remove(publishers, json_object_get(data, "unpublished"));
    json_t *list = janus_publishers_to_json(publishers);
    g_assert_cmpuint(json_array_size(list), <=, 256);
    json_decref(list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    JanusRoom room = {.host = (char *) "127.0.0.1"};
    JanusPublishers *publishers = janus_publishers_new(&room);
    JanusCalls *calls = janus_calls_new();

    for (unsigned i = 0; lines[i] != NULL; i++) {
        json_t *message = json_loads(lines[i], 0, NULL);
        if (message != NULL) {
            g_assert_false(janus_calls_take_event(calls, message)); /* nobody asked */
            take_line(publishers, message);
        }
        json_decref(message);
    }
    janus_publishers_free(publishers);
    janus_calls_free(calls);
    return 0;
}
