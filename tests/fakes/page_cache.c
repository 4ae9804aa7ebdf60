#include "tests/fakes/page_cache.h"

#include <glib.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

size_t
page_cache_count(int file, size_t n_bytes)
{
    const size_t page = (size_t) sysconf(_SC_PAGESIZE);
    const size_t n_pages = (n_bytes + page - 1) / page;
    g_autofree unsigned char *is_there = g_malloc0(n_pages);
    void *mapped = mmap(NULL, n_bytes, PROT_READ, MAP_SHARED, file, 0);
    size_t n = 0;

    g_assert_true(mapped != MAP_FAILED);
    g_assert_cmpint(mincore(mapped, n_bytes, is_there), ==, 0);
    for (size_t i = 0; i < n_pages; i++)
        n += is_there[i] & 1;
    g_assert_cmpint(munmap(mapped, n_bytes), ==, 0);
    return n;
}

bool
page_cache_is_all(const char *path)
{
    struct statfs system;

    g_assert_cmpint(statfs(path, &system), ==, 0);
    return system.f_type == TMPFS_MAGIC;
}
