#include "agent/recorder/ingress_rest.h"

#include <glib.h>

static unsigned
rest_after(IngressRest *self, unsigned n_rounds, unsigned n_fullest)
{
    unsigned rest_ms = 0;

    for (unsigned i = 0; i < n_rounds; i++)
        rest_ms = ingress_rest_next(self, n_fullest);
    return rest_ms;
}

static void
test_grows_while_sockets_are_nearly_empty(void)
{
    IngressRest rest;

    ingress_rest_init(&rest, 900);

    g_assert_cmpuint(ingress_rest_next(&rest, 7), <, 40);
    g_assert_cmpuint(rest_after(&rest, 100, 7), ==, 200);
}

static void
test_is_short_where_sockets_hold_little(void)
{
    IngressRest rest;

    ingress_rest_init(&rest, 185);
    g_assert_cmpuint(rest_after(&rest, 100, 7), ==, 92);
    ingress_rest_init(&rest, 1);
    g_assert_cmpuint(rest_after(&rest, 100, 0), ==, 10);
}

/* What fills half of the room in the longest rest leaves a third free once the rest has adapted. */
static void
test_makes_room_for_a_fast_source(void)
{
    IngressRest rest;

    ingress_rest_init(&rest, 900);
    (void) rest_after(&rest, 100, 7);

    for (unsigned i = 0; i < 20; i++)
        (void) ingress_rest_next(&rest, rest.ms * 5);
    g_assert_cmpuint(rest.ms * 5, <=, 900 / 4);
    g_assert_cmpuint(rest.ms, >=, 10);
}

static void
test_comes_back_after_a_burst(void)
{
    IngressRest rest;

    ingress_rest_init(&rest, 900);
    (void) rest_after(&rest, 100, 7);
    g_assert_cmpuint(ingress_rest_next(&rest, 600), ==, 100);
    g_assert_cmpuint(rest_after(&rest, 10, 7), ==, 200);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ingress-rest/grows-while-sockets-are-nearly-empty",
                    test_grows_while_sockets_are_nearly_empty);
    g_test_add_func("/ingress-rest/is-short-where-sockets-hold-little",
                    test_is_short_where_sockets_hold_little);
    g_test_add_func("/ingress-rest/makes-room-for-a-fast-source",
                    test_makes_room_for_a_fast_source);
    g_test_add_func("/ingress-rest/comes-back-after-a-burst", test_comes_back_after_a_burst);
    return g_test_run();
}
