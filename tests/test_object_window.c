#include "storage/dir_store.h"
#include "storage/object_window.h"
#include "storage/storage_error.h"
#include "tests/fakes/flaky_store.h"
#include "tests/fakes/spool_fixture.h"

#include <string.h>

enum { N_BYTES = 2 << 20 };

/* Each four bytes say where they lie. */
static GBytes *
numbered(void)
{
    uint32_t *words = g_new(uint32_t, N_BYTES / 4);

    for (uint32_t i = 0; i < N_BYTES / 4; i++)
        words[i] = i * 4;
    return g_bytes_new_take(words, N_BYTES);
}

static void
put(ObjectStore *store, const char *key)
{
    g_autoptr(GBytes) body = numbered();
    g_autoptr(GError) error = NULL;

    g_assert_true(object_store_put(store, key, body, &error));
    g_assert_no_error(error);
}

/* In order, back again, across what is read ahead, and up to the end. */
static void
check_places(ObjectStore *store)
{
    static const struct {
        uint32_t offset, n_bytes;
    } rows[] = {
        {0,           40     },
        {40,          4      },
        {20,          8      },
        {524280,      16     },
        {4096,        1572864},
        {N_BYTES - 4, 4      },
        {0,           N_BYTES},
    };
    g_autoptr(ObjectWindow) window = object_window_new(store);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        const uint8_t *bytes =
            object_window_read(window, "a/s/t/0.tape", rows[i].offset, rows[i].n_bytes, &error);
        uint32_t word = 0;

        g_assert_no_error(error);
        memcpy(&word, bytes, sizeof(word));
        g_assert_cmpuint(word, ==, rows[i].offset);
        memcpy(&word, bytes + rows[i].n_bytes - 4, sizeof(word));
        g_assert_cmpuint(word, ==, rows[i].offset + rows[i].n_bytes - 4);
    }
}

static void
test_gives_what_lies_there(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) folder = spool_fixture_store(fixture);
    g_autoptr(GHashTable) objects = flaky_store_objects_new();
    g_autoptr(ObjectStore) memory = flaky_store_new(objects);

    put(folder, "a/s/t/0.tape");
    put(memory, "a/s/t/0.tape");

    check_places(folder);
    check_places(memory);
}

static void
test_tells_objects_apart(void)
{
    g_autoptr(GHashTable) objects = flaky_store_objects_new();
    g_autoptr(ObjectStore) store = flaky_store_new(objects);
    g_autoptr(ObjectWindow) window = object_window_new(store);
    g_autoptr(GBytes) other = g_bytes_new_static("other", 5);
    g_autoptr(GError) error = NULL;

    put(store, "a/s/t/0.tape");
    g_assert_true(object_store_put(store, "a/s/t/1.tape", other, &error));
    g_assert_cmpmem(object_window_read(window, "a/s/t/0.tape", 0, 4, &error), 4, "\0\0\0\0", 4);

    g_assert_cmpmem(object_window_read(window, "a/s/t/1.tape", 0, 5, &error), 5, "other", 5);
    g_assert_no_error(error);
}

static void
test_says_what_is_not_there(void)
{
    static const struct {
        const char *key;
        uint64_t offset;
        size_t n_bytes;
        StorageError code;
    } rows[] = {
        {"a/s/t/0.tape", N_BYTES - 4, 5,           STORAGE_ERROR_CORRUPT  },
        {"a/s/t/0.tape", 0,           N_BYTES + 1, STORAGE_ERROR_CORRUPT  },
        {"a/s/t/0.tape", N_BYTES + 9, 1,           STORAGE_ERROR_CORRUPT  },
        {"a/s/t/9.tape", 0,           1,           STORAGE_ERROR_NOT_FOUND},
        {"../t/0.tape",  0,           1,           STORAGE_ERROR_DENIED   },
    };
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);

    put(store, "a/s/t/0.tape");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(ObjectWindow) window = object_window_new(store);
        g_autoptr(GError) error = NULL;

        g_assert_null(
            object_window_read(window, rows[i].key, rows[i].offset, rows[i].n_bytes, &error));
        g_assert_error(error, STORAGE_ERROR, (int) rows[i].code);
    }
}

/* A store that is away takes its time to say so. */
static void
test_asks_once_for_what_is_refused(void)
{
    static const uint8_t first[4] = {0};
    g_autoptr(GHashTable) objects = flaky_store_objects_new();
    g_autoptr(ObjectStore) store = flaky_store_new(objects);
    g_autoptr(ObjectWindow) window = object_window_new(store);
    GError *error = NULL;

    put(store, "a/s/t/1.tape");
    g_assert_null(object_window_read(window, "a/s/t/0.tape", 0, 4, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    put(store, "a/s/t/0.tape");

    g_assert_null(object_window_read(window, "a/s/t/0.tape", 0, 4, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_cmpmem(object_window_read(window, "a/s/t/1.tape", 0, 4, &error), 4, first, 4);
    g_assert_cmpmem(object_window_read(window, "a/s/t/0.tape", 0, 4, &error), 4, first, 4);
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/object-window/gives-what-lies-there", test_gives_what_lies_there);
    g_test_add_func("/object-window/tells-objects-apart", test_tells_objects_apart);
    g_test_add_func("/object-window/says-what-is-not-there", test_says_what_is_not_there);
    g_test_add_func("/object-window/asks-once-for-what-is-refused",
                    test_asks_once_for_what_is_refused);
    return g_test_run();
}
