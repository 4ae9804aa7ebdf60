#include "storage/direct_write.h"
#include "tests/fakes/failing_calls.h"
#include "tests/fakes/page_cache.h"
#include "tests/fakes/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { BLOCK = DIRECT_WRITE_BLOCK, LARGE = DIRECT_WRITE_LARGE, MOST = 2 << 20 };

typedef struct {
    char *folder;
    char *path;
    int file;
    uint8_t *bytes; /* begin with a block, and are others in each */
} Fixture;

static void
fixture_in(Fixture *self, char *folder)
{
    self->folder = folder;
    self->path = g_build_filename(folder, "file", NULL);
    self->file = open(self->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    g_assert_cmpint(self->file, >=, 0);
    self->bytes = g_aligned_alloc(1, MOST, BLOCK);
    for (size_t i = 0; i < MOST; i++)
        self->bytes[i] = (uint8_t) (((uint32_t) i * 2654435761U) >> 24);
}

static void
set_up(Fixture *self, gconstpointer user_data)
{
    fixture_in(self, scratch_new("direct-write"));
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    failing_calls_disarm();
    g_assert_cmpint(close(self->file), ==, 0);
    g_aligned_free(self->bytes);
    g_free(self->path);
    scratch_remove(self->folder);
}

static void
assert_file_holds(const Fixture *self, const uint8_t *bytes, size_t n_bytes)
{
    g_autofree char *content = NULL;
    gsize n_there = 0;

    g_assert_true(g_file_get_contents(self->path, &content, &n_there, NULL));
    g_assert_cmpuint(n_there, ==, n_bytes);
    g_assert_cmpint(memcmp(content, bytes, n_bytes), ==, 0);
    g_assert_cmpint(fcntl(self->file, F_GETFL) & O_DIRECT, ==, 0); /* as it was */
}

static void
start_again(const Fixture *self)
{
    g_assert_cmpint(ftruncate(self->file, 0), ==, 0);
    g_assert_cmpint(lseek(self->file, 0, SEEK_SET), ==, 0);
}

static void
write_every_size(const Fixture *self)
{
    static const size_t sizes[] = {
        0,
        1,
        BLOCK,
        LARGE - 1,
        LARGE,
        LARGE + 1,
        LARGE + BLOCK - 1,
        LARGE + BLOCK,
        LARGE + BLOCK + 1,
        MOST - BLOCK - 1,
        MOST - 513,
        MOST,
    };
    static const size_t starts[] = {0, 1, 512, BLOCK - 1};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(starts); j++) {
            const size_t n_bytes = MIN(sizes[i], MOST - starts[j]);

            start_again(self);
            g_assert_true(direct_write_all(self->file, self->bytes + starts[j], n_bytes));
            assert_file_holds(self, self->bytes + starts[j], n_bytes);
        }
    }
}

static void
test_every_size_is_written_whole(Fixture *self, gconstpointer user_data)
{
    write_every_size(self);
}

static void
test_as_well_in_memory(void)
{
    char *folder = g_strdup("/dev/shm/direct-write-XXXXXX");
    struct statfs system;
    Fixture fixture;

    if (statfs("/dev/shm", &system) != 0 || system.f_type != TMPFS_MAGIC ||
        g_mkdtemp(folder) == NULL) {
        g_free(folder);
        g_test_skip("no file system in memory here");
        return;
    }
    fixture_in(&fixture, folder);
    write_every_size(&fixture);
    tear_down(&fixture, NULL);
}

static void
test_no_page_but_the_last_is_cached(Fixture *self, gconstpointer user_data)
{
    if (page_cache_is_all(self->path)) {
        g_test_skip("files live in memory here");
        return;
    }
    g_assert_true(direct_write_all(self->file, self->bytes, MOST));
    g_assert_cmpuint(page_cache_count(self->file, MOST), <=, 1);
    start_again(self);
    g_assert_true(direct_write_all(self->file, self->bytes, MOST - 100));
    g_assert_cmpuint(page_cache_count(self->file, MOST - 100), <=, 2);
    assert_file_holds(self, self->bytes, MOST - 100);
}

static void
test_what_is_small_or_askew_is_cached(Fixture *self, gconstpointer user_data)
{
    g_assert_true(direct_write_all(self->file, self->bytes, BLOCK));
    g_assert_cmpuint(page_cache_count(self->file, BLOCK), ==, 1);
    start_again(self);
    g_assert_true(direct_write_all(self->file, self->bytes + 1, LARGE));
    g_assert_cmpuint(page_cache_count(self->file, LARGE), ==, LARGE / sysconf(_SC_PAGESIZE));
}

/* A sector less than a block, a few bytes: whatever a short write leaves, the rest follows. */
static void
test_short_writes_go_on(Fixture *self, gconstpointer user_data)
{
    static const unsigned most[] = {1000, BLOCK, BLOCK + 512, 3 * BLOCK, 3 * BLOCK + 7};

    for (size_t i = 0; i < G_N_ELEMENTS(most); i++) {
        start_again(self);
        failing_calls_shorten(most[i]);
        g_assert_true(direct_write_all(self->file, self->bytes, LARGE + 99));
        failing_calls_disarm();
        assert_file_holds(self, self->bytes, LARGE + 99);
    }
}

static void
test_interrupted_writes_go_on(Fixture *self, gconstpointer user_data)
{
    failing_calls_shorten(16 * BLOCK);
    failing_calls_arm(CALL_WRITE, 1, 1, EINTR);
    g_assert_true(direct_write_all(self->file, self->bytes, LARGE));
    assert_file_holds(self, self->bytes, LARGE);

    start_again(self);
    failing_calls_arm(CALL_WRITE, 3, 2, EINTR);
    g_assert_true(direct_write_all(self->file, self->bytes, LARGE));
    g_assert_cmpuint(failing_calls_count(CALL_WRITE), ==, LARGE / (16 * BLOCK) + 2);
    assert_file_holds(self, self->bytes, LARGE);
}

/* The first write, one in the middle, and the one through the page cache at the end. */
static void
test_failures_are_told(Fixture *self, gconstpointer user_data)
{
    static const int numbers[] = {ENOSPC, EDQUOT, EIO};
    const unsigned n_writes = LARGE / (16 * BLOCK) + 1;

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        for (unsigned nth = 1; nth <= n_writes; nth++) {
            start_again(self);
            failing_calls_shorten(16 * BLOCK);
            failing_calls_arm(CALL_WRITE, nth, 1, numbers[i]);
            g_assert_false(direct_write_all(self->file, self->bytes, LARGE + 1));
            g_assert_cmpint(errno, ==, numbers[i]);
            g_assert_cmpuint(failing_calls_count(CALL_WRITE), ==, nth);
            failing_calls_disarm();
            g_assert_cmpint(fcntl(self->file, F_SETFL, 0), ==, 0);
        }
    }
}

/* A file system that takes the flag and no write, or no further one. */
static void
test_a_refused_write_is_written_as_ever(Fixture *self, gconstpointer user_data)
{
    for (unsigned nth = 1; nth <= 3; nth++) {
        start_again(self);
        failing_calls_shorten(16 * BLOCK);
        failing_calls_arm(CALL_WRITE, nth, 1, EINVAL);
        g_assert_true(direct_write_all(self->file, self->bytes, LARGE + 1));
        failing_calls_disarm();
        assert_file_holds(self, self->bytes, LARGE + 1);
    }
    start_again(self);
    failing_calls_arm(CALL_WRITE, 1, 2, EINVAL); /* the page cache knows no such refusal */
    g_assert_false(direct_write_all(self->file, self->bytes, LARGE + 1));
    g_assert_cmpint(errno, ==, EINVAL);
}

static void *
read_to_the_end(void *data)
{
    GByteArray *got = g_byte_array_new();
    uint8_t piece[BLOCK];
    ssize_t n = 0;

    while ((n = read(*(int *) data, piece, sizeof piece)) > 0)
        g_byte_array_append(got, piece, (guint) n);
    g_assert_cmpint(n, ==, 0);
    return got;
}

/* A socket stands for a file system that does not know the flag. */
static void
test_a_refused_flag_is_written_as_ever(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GByteArray) got = NULL;
    GThread *reader = NULL;
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_cmpint(fcntl(ends[0], F_SETFL, O_DIRECT), ==, -1);
    reader = g_thread_new("reader", read_to_the_end, &ends[1]);
    g_assert_true(direct_write_all(ends[0], self->bytes, LARGE + 1));
    g_assert_cmpint(close(ends[0]), ==, 0);
    got = g_thread_join(reader);
    g_assert_cmpint(close(ends[1]), ==, 0);
    g_assert_cmpmem(got->data, (int) got->len, self->bytes, LARGE + 1);
}

#define ADD(name, test) g_test_add("/direct-write/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("every-size-is-written-whole", test_every_size_is_written_whole);
    g_test_add_func("/direct-write/as-well-in-memory", test_as_well_in_memory);
    ADD("no-page-but-the-last-is-cached", test_no_page_but_the_last_is_cached);
    ADD("what-is-small-or-askew-is-cached", test_what_is_small_or_askew_is_cached);
    ADD("short-writes-go-on", test_short_writes_go_on);
    ADD("interrupted-writes-go-on", test_interrupted_writes_go_on);
    ADD("failures-are-told", test_failures_are_told);
    ADD("a-refused-write-is-written-as-ever", test_a_refused_write_is_written_as_ever);
    ADD("a-refused-flag-is-written-as-ever", test_a_refused_flag_is_written_as_ever);
    return g_test_run();
}
