#include "storage/dir_store.h"
#include "storage/upload_bodies.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/page_cache.h"
#include "tests/fakes/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { SMALL = 4096, LARGE = 2 << 20 };

static void
put_zeros(ObjectStore *store, const char *key, size_t n_bytes)
{
    GError *error = NULL;
    g_autoptr(GBytes) body = g_bytes_new_take(g_malloc0(n_bytes), n_bytes);

    g_assert_true(object_store_put(store, key, body, &error));
    g_assert_no_error(error);
}

static size_t
pages_in_memory(const char *path, size_t n_bytes)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const size_t n = page_cache_count(file, n_bytes);

    g_assert_cmpint(close(file), ==, 0);
    return n;
}

static void
test_media_leave_the_page_cache(void)
{
    char *folder = scratch_new("dir-store-pages");
    g_autoptr(GError) error = NULL;
    g_autoptr(ObjectStore) store = dir_store_open(folder, &error);
    g_autofree char *large = g_build_filename(folder, "s", "large.tape", NULL);
    g_autofree char *small = g_build_filename(folder, "s", "small.note", NULL);

    g_assert_no_error(error);
    put_zeros(store, "s/large.tape", LARGE);
    put_zeros(store, "s/small.note", SMALL);
    if (page_cache_is_all(folder)) {
        g_test_skip("files live in memory here");
    } else {
        g_assert_cmpuint(pages_in_memory(large, LARGE), <=, 16); /* of 512: one may be in use */
        g_assert_cmpuint(pages_in_memory(small, SMALL), ==, 1);
    }
    scratch_remove(folder);
}

/* A write that is refused as only a direct one can be is made again through the page cache, and so
 * tells which way the bytes of an upload go, and others do not. */
static void
test_bodies_of_an_upload_go_past_it(void)
{
    char *folder = scratch_new("dir-store-pages");
    g_autoptr(GError) error = NULL;
    g_autoptr(ObjectStore) store = dir_store_open(folder, &error);
    g_autoptr(UploadBodies) bodies = upload_bodies_new();
    g_autoptr(GBytes) body = NULL;
    g_autoptr(GBytes) askew = NULL;
    g_autoptr(GBytes) stored = NULL;

    g_assert_no_error(error);
    upload_bodies_begin(bodies, LARGE + 1, 1);
    memset(upload_bodies_room(bodies, LARGE + 1), 'x', LARGE + 1);
    body = upload_bodies_take(bodies, LARGE + 1);
    askew = g_bytes_new_from_bytes(body, 1, LARGE);

    failing_calls_arm(CALL_WRITE, 1, 1, EINVAL);
    g_assert_true(object_store_put(store, "s/body.tape", body, &error));
    g_assert_no_error(error);
    failing_calls_arm(CALL_WRITE, 1, 1, EINVAL);
    g_assert_false(object_store_put(store, "s/askew.tape", askew, &error));
    failing_calls_disarm();
    g_clear_error(&error);
    g_assert_true(object_store_put(store, "s/body.tape", body, &error)); /* equal */
    g_assert_true(object_store_put(store, "s/again.tape", body, &error));
    stored = object_store_get(store, "s/again.tape", &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(stored, body));
    scratch_remove(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dir-store-pages/media-leave-the-page-cache", test_media_leave_the_page_cache);
    g_test_add_func("/dir-store-pages/bodies-of-an-upload-go-past-it",
                    test_bodies_of_an_upload_go_past_it);
    return g_test_run();
}
