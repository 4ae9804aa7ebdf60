#include "agent/recorder/port_pool.h"

#include <glib.h>

static const struct {
    uint16_t first, last;
    unsigned n_pairs;
    uint16_t port; /* the first to be taken */
} rows[] = {
    {40000, 40003, 2,     40000},
    {40001, 40005, 2,     40002},
    {40000, 40000, 0,     0    },
    {40001, 40002, 0,     0    },
    {40000, 40002, 1,     40000},
    {40010, 40000, 0,     0    },
    {65534, 65535, 1,     65534},
    {65535, 65535, 0,     0    },
    {0,     3,     1,     2    },
    {0,     65535, 32767, 2    },
};

static void
test_holds_whole_pairs_only(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PortPool) pool = port_pool_new(rows[i].first, rows[i].last);

        g_assert_cmpuint(port_pool_size(pool), ==, rows[i].n_pairs);
        g_assert_cmpuint(port_pool_take(pool), ==, rows[i].port);
    }
}

static void
test_gives_the_longest_rested_pair(void)
{
    g_autoptr(PortPool) pool = port_pool_new(40000, 40005);

    g_assert_cmpuint(port_pool_take(pool), ==, 40000);
    port_pool_give_back(pool, 40000);
    g_assert_cmpuint(port_pool_take(pool), ==, 40002);
    g_assert_cmpuint(port_pool_take(pool), ==, 40004);
    g_assert_cmpuint(port_pool_take(pool), ==, 40000);
    g_assert_cmpuint(port_pool_take(pool), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/port_pool/holds-whole-pairs-only", test_holds_whole_pairs_only);
    g_test_add_func("/port_pool/gives-the-longest-rested-pair", test_gives_the_longest_rested_pair);
    return g_test_run();
}
