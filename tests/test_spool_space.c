#include "crypto/crypto_error.h"
#include "storage/spool_space.h"
#include "tests/fakes/spool_fixture.h"

static const SpoolMarks shares = {{.percent = 15}, {.percent = 5}, {.percent = 2}};
static const SpoolMarks sizes = {{.bytes = 1500}, {.bytes = 500}, {.bytes = 200}};

/* Of 10,000 bytes and 10,000 inodes. */
static const struct {
    const SpoolMarks *marks;
    uint64_t n_free_bytes, n_free_files;
    SpoolSpaceLevel before, after;
} rows[] = {
    {&shares, 10000, 10000, SPOOL_SPACE_OK,       SPOOL_SPACE_OK      },
    {&shares, 1500,  10000, SPOOL_SPACE_OK,       SPOOL_SPACE_OK      },
    {&shares, 1499,  10000, SPOOL_SPACE_OK,       SPOOL_SPACE_LOW     },
    {&shares, 499,   10000, SPOOL_SPACE_OK,       SPOOL_SPACE_SCARCE  },
    {&shares, 199,   10000, SPOOL_SPACE_OK,       SPOOL_SPACE_CRITICAL},
    {&shares, 0,     10000, SPOOL_SPACE_CRITICAL, SPOOL_SPACE_CRITICAL},
 /* A level is left a tenth above its mark. */
    {&shares, 1500,  10000, SPOOL_SPACE_LOW,      SPOOL_SPACE_LOW     },
    {&shares, 1650,  10000, SPOOL_SPACE_LOW,      SPOOL_SPACE_OK      },
    {&shares, 549,   10000, SPOOL_SPACE_SCARCE,   SPOOL_SPACE_SCARCE  },
    {&shares, 550,   10000, SPOOL_SPACE_SCARCE,   SPOOL_SPACE_LOW     },
    {&shares, 210,   10000, SPOOL_SPACE_CRITICAL, SPOOL_SPACE_CRITICAL},
    {&shares, 10000, 10000, SPOOL_SPACE_CRITICAL, SPOOL_SPACE_OK      },
 /* Names run out as well as bytes. */
    {&shares, 10000, 499,   SPOOL_SPACE_OK,       SPOOL_SPACE_SCARCE  },
    {&shares, 10000, 0,     SPOOL_SPACE_OK,       SPOOL_SPACE_CRITICAL},
    {&sizes,  1499,  10000, SPOOL_SPACE_OK,       SPOOL_SPACE_LOW     },
    {&sizes,  499,   10000, SPOOL_SPACE_LOW,      SPOOL_SPACE_SCARCE  },
    {&sizes,  199,   10000, SPOOL_SPACE_OK,       SPOOL_SPACE_CRITICAL},
    {&sizes,  10000, 15,    SPOOL_SPACE_OK,       SPOOL_SPACE_CRITICAL},
};

static void
test_each_mark_begins_its_level(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const SpoolSpace space = {10000, rows[i].n_free_bytes, 10000, rows[i].n_free_files};

        g_test_message("row %zu", i);
        g_assert_cmpint(spool_space_level(rows[i].marks, &space, rows[i].before), ==,
                        rows[i].after);
    }
}

static void
test_no_inodes_are_no_shortage(void)
{
    const SpoolSpace space = {10000, 9000, 0, 0};

    g_assert_cmpint(spool_space_level(&shares, &space, SPOOL_SPACE_OK), ==, SPOOL_SPACE_OK);
}

static void
test_measures_the_folder(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    SpoolSpace space = {0};

    g_assert_true(spool_space_measure(spool, &space));
    g_assert_cmpuint(space.n_bytes, >, 0);
    g_assert_cmpuint(space.n_free_bytes, <=, space.n_bytes);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/spool-space/each-mark-begins-its-level", test_each_mark_begins_its_level);
    g_test_add_func("/spool-space/no-inodes-are-no-shortage", test_no_inodes_are_no_shortage);
    g_test_add_func("/spool-space/measures-the-folder", test_measures_the_folder);
    return g_test_run();
}
