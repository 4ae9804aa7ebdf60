#include "tests/fakes/failing_calls.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct {
    Call call;
    gint nth, n_times;
    int number;
    bool is_armed;
} Plan;

static GMutex plan_lock;
static Plan plan_locked;
static gint counts[N_CALLS];
static gint most_bytes;

static void
reset(void)
{
    for (int i = 0; i < N_CALLS; i++)
        g_atomic_int_set(&counts[i], 0);
}

static void
set_plan(Plan plan)
{
    g_mutex_lock(&plan_lock);
    plan_locked = plan;
    g_mutex_unlock(&plan_lock);
}

static Plan
get_plan(void)
{
    Plan plan;

    g_mutex_lock(&plan_lock);
    plan = plan_locked;
    g_mutex_unlock(&plan_lock);
    return plan;
}

void
failing_calls_arm(Call call, unsigned nth, unsigned n_times, int number)
{
    reset();
    set_plan((Plan){call, (gint) nth, (gint) n_times, number, true});
}

void
failing_calls_shorten(unsigned n_bytes)
{
    g_atomic_int_set(&most_bytes, (gint) n_bytes);
}

static struct {
    void (*hook)(void *user_data);
    void *user_data;
} in_flush;

void
failing_calls_hook_flush(void (*hook)(void *user_data), void *user_data)
{
    in_flush.hook = hook;
    in_flush.user_data = user_data;
}

void
failing_calls_disarm(void)
{
    set_plan((Plan){0});
    failing_calls_shorten(0);
    reset();
}

unsigned
failing_calls_count(Call call)
{
    return (unsigned) g_atomic_int_get(&counts[call]);
}

/* Returns: true if this call is to fail; errno is set. */
static bool
must_fail(Call call)
{
    const Plan plan = get_plan();
    const gint of_any = g_atomic_int_add(&counts[CALL_ANY], 1) + 1;
    const gint of_call = g_atomic_int_add(&counts[call], 1) + 1;
    const gint n = plan.call == CALL_ANY ? of_any : of_call;

    if (!plan.is_armed || (plan.call != CALL_ANY && plan.call != call) || n < plan.nth ||
        n >= plan.nth + plan.n_times)
        return false;
    if (plan.number == 0)
        (void) raise(SIGKILL);
    errno = plan.number;
    return true;
}

static size_t
shortened(size_t n_bytes)
{
    const gint most = g_atomic_int_get(&most_bytes);

    return most > 0 ? MIN(n_bytes, (size_t) most) : n_bytes;
}

/* The linker gives the product __wrap_X for X, and us __real_X. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_syncfs(int fd);
ssize_t __real_pwritev64(int fd, const struct iovec *pieces, int n_pieces, off_t offset);
ssize_t __real_write(int fd, const void *bytes, size_t n_bytes);
int __real_posix_fallocate64(int fd, off_t offset, off_t length);
int __real_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *name, int flags);
int __real_mkdirat(int dir, const char *name, mode_t mode);

int
__wrap_fdatasync(int fd)
{
    void (*hook)(void *user_data) = in_flush.hook;

    in_flush.hook = NULL;
    if (hook != NULL)
        hook(in_flush.user_data);
    return must_fail(CALL_FDATASYNC) ? -1 : __real_fdatasync(fd);
}

int
__wrap_fsync(int fd)
{
    return must_fail(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

int
__wrap_syncfs(int fd)
{
    return must_fail(CALL_SYNCFS) ? -1 : __real_syncfs(fd);
}

ssize_t
__wrap_pwritev64(int fd, const struct iovec *pieces, int n_pieces, off_t offset)
{
    struct iovec first = pieces[0];

    if (must_fail(CALL_PWRITEV))
        return -1;
    first.iov_len = shortened(first.iov_len);
    return g_atomic_int_get(&most_bytes) > 0 ? __real_pwritev64(fd, &first, 1, offset)
                                             : __real_pwritev64(fd, pieces, n_pieces, offset);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t n_bytes)
{
    /* Reports of the test go to 1 and 2. */
    if (fd > 2 && must_fail(CALL_WRITE))
        return -1;
    return __real_write(fd, bytes, fd > 2 ? shortened(n_bytes) : n_bytes);
}

int
__wrap_posix_fallocate64(int fd, off_t offset, off_t length)
{
    return must_fail(CALL_ALLOCATE) ? errno : __real_posix_fallocate64(fd, offset, length);
}

int
__wrap_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return must_fail(CALL_LINKAT) ? -1 : __real_linkat(from_dir, from, to_dir, to, flags);
}

int
__wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return must_fail(CALL_RENAMEAT) ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
    return must_fail(CALL_UNLINKAT) ? -1 : __real_unlinkat(dir, name, flags);
}

int
__wrap_mkdirat(int dir, const char *name, mode_t mode)
{
    return must_fail(CALL_MKDIRAT) ? -1 : __real_mkdirat(dir, name, mode);
}
