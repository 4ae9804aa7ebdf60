/* What AddressSanitizer takes away: it turns mlock into nothing, so this program is for plain
 * builds. */
#include "crypto/crypto_error.h"
#include "crypto/secret.h"
#include "tests/fakes/age_fixture.h"

#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* In a child without the right to lock any memory. Must not start crypto/ as the others do. */
static void
child_without_locked_memory(void)
{
    const struct rlimit none = {0, 0};
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(setrlimit(RLIMIT_MEMLOCK, &none), ==, 0);
    if (geteuid() == 0)
        g_assert_cmpint(setresuid(65534, 65534, 65534), ==, 0); /* root locks as it likes */
    g_assert_false(crypto_start(&error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_LOCKED_MEMORY);
    g_clear_error(&error);
    g_assert_null(secret_new_random(32, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_LOCKED_MEMORY);
}

static void
test_without_locked_memory_nothing_starts(void)
{
    g_test_trap_subprocess("/secret_lock/without-locked-memory/subprocess", 0,
                           G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
}

static void
test_program_leaves_no_core_and_can_not_be_read(void)
{
    struct rlimit cores;

    age_fixture_start();
    g_assert_cmpint(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), ==, 0);
    g_assert_cmpint(getrlimit(RLIMIT_CORE, &cores), ==, 0);
    g_assert_cmpuint(cores.rlim_max, ==, 0);
}

/* Reads what the kernel says of the mapping that holds a secret. */
static char *
mapping_of(const void *address)
{
    g_autofree char *maps = NULL;
    g_assert_true(g_file_get_contents("/proc/self/smaps", &maps, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(maps, "\n", -1);
    g_autoptr(GString) found = g_string_new(NULL);
    bool is_inside = false;

    for (char **line = lines; *line != NULL; line++) {
        char *end = NULL;
        const guint64 first = g_ascii_strtoull(*line, &end, 16);
        if (*end == '-') {
            const guint64 past = g_ascii_strtoull(end + 1, NULL, 16);
            is_inside = first <= (guintptr) address && (guintptr) address < past;
        }
        if (is_inside)
            g_string_append_printf(found, "%s\n", *line);
    }
    return g_string_free(g_steal_pointer(&found), FALSE);
}

static void
test_pages_are_locked_and_in_no_dump_or_child(void)
{
    g_autoptr(GError) error = NULL;
    age_fixture_start();
    g_autoptr(Secret) secret = secret_new_random(32, &error);
    g_assert_no_error(error);

    g_autofree char *mapping = mapping_of(secret_peek(secret));
    const char *flags = strstr(mapping, "VmFlags:");

    g_assert_nonnull(flags);
    g_assert_nonnull(strstr(flags, " lo")); /* locked */
    g_assert_nonnull(strstr(flags, " dd")); /* do not dump */
    g_assert_nonnull(strstr(flags, " dc")); /* do not copy on fork */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret_lock/without-locked-memory/subprocess", child_without_locked_memory);
    g_test_add_func("/secret_lock/without-locked-memory-nothing-starts",
                    test_without_locked_memory_nothing_starts);
    g_test_add_func("/secret_lock/program-leaves-no-core-and-can-not-be-read",
                    test_program_leaves_no_core_and_can_not_be_read);
    g_test_add_func("/secret_lock/pages-are-locked-and-in-no-dump-or-child",
                    test_pages_are_locked_and_in_no_dump_or_child);
    return g_test_run();
}
