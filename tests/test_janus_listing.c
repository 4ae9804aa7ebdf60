#include "agent/recorder/janus_listing.h"

#include <glib.h>
#include <locale.h>

/* As Janus 1.1 answers listforwarders, and as 0.x did. */
static const char *const listings[] = {
    "{\"videoroom\":\"forwarders\",\"room\":1,\"publishers\":["
    "{\"publisher_id\":11,\"forwarders\":[{\"stream_id\":7,\"port\":4000},"
    "{\"stream_id\":8,\"port\":4002}]},"
    "{\"publisher_id\":\"p2\",\"forwarders\":[{\"stream_id\":9,\"port\":4004}]}]}",
    "{\"rtp_forwarders\":["
    "{\"publisher_id\":11,\"rtp_forwarders\":[{\"stream_id\":7,\"port\":4000},"
    "{\"stream_id\":8,\"port\":4002}]},"
    "{\"publisher_id\":\"p2\",\"rtp_forwarder\":[{\"stream_id\":9,\"port\":4004}]}]}",
};

static void
test_finds_forwarders_however_nested(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(listings); i++) {
        json_t *listed = json_loads(listings[i], 0, NULL);
        json_t *first = json_integer(11), *second = json_string("p2"), *stream = json_integer(9);

        g_assert_cmpint(json_integer_value(janus_listing_stream_to(listed, 4002)), ==, 8);
        g_assert_null(janus_listing_stream_to(listed, 4001));
        g_assert_true(janus_listing_contains(listed, second, stream));
        g_assert_false(janus_listing_contains(listed, first, stream));

        json_decref(first);
        json_decref(second);
        json_decref(stream);
        json_decref(listed);
    }
}

static void
count(const json_t *entry, const json_t *publisher, void *user_data)
{
    (*(int *) user_data)++;
}

static void
test_finds_nothing_in_nonsense(void)
{
    static const char *const texts[] = {
        "[]",
        "{}",
        "{\"publishers\":7}",
        "{\"publishers\":[null, 3, [{\"stream_id\":1}]]}",
        "{\"publishers\":{\"stream_id\":1}}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        json_t *listed = json_loads(texts[i], 0, NULL);
        int n = 0;

        janus_listing_walk(listed, count, &n);
        g_assert_cmpint(n, ==, 0);
        json_decref(listed);
    }
    g_assert_null(janus_listing_stream_to(NULL, 1));
}

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "C");
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/janus-listing/finds-forwarders-however-nested",
                    test_finds_forwarders_however_nested);
    g_test_add_func("/janus-listing/finds-nothing-in-nonsense", test_finds_nothing_in_nonsense);
    return g_test_run();
}
