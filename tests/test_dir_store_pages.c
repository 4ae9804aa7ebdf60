#include "storage/dir_store.h"
#include "tests/fakes/scratch.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
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

/* Returns: how many pages of the file the machine's memory holds. */
static size_t
pages_in_memory(const char *path, size_t n_bytes)
{
    const size_t page = (size_t) sysconf(_SC_PAGESIZE);
    const size_t n_pages = (n_bytes + page - 1) / page;
    g_autofree unsigned char *is_there = g_malloc0(n_pages);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    void *mapped = mmap(NULL, n_bytes, PROT_READ, MAP_SHARED, file, 0);
    size_t n = 0;

    g_assert_true(mapped != MAP_FAILED);
    g_assert_cmpint(mincore(mapped, n_bytes, is_there), ==, 0);
    for (size_t i = 0; i < n_pages; i++)
        n += is_there[i] & 1;
    g_assert_cmpint(munmap(mapped, n_bytes), ==, 0);
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
    struct statfs system;

    g_assert_no_error(error);
    put_zeros(store, "s/large.tape", LARGE);
    put_zeros(store, "s/small.note", SMALL);
    g_assert_cmpint(statfs(large, &system), ==, 0);
    if (system.f_type == TMPFS_MAGIC) {
        g_test_skip("files live in memory here");
    } else {
        g_assert_cmpuint(pages_in_memory(large, LARGE), <=, 16); /* of 512: one may be in use */
        g_assert_cmpuint(pages_in_memory(small, SMALL), ==, 1);
    }
    scratch_remove(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dir-store-pages/media-leave-the-page-cache", test_media_leave_the_page_cache);
    return g_test_run();
}
