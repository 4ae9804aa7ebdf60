/* 1. The worker starts as the leader of a group.
 * 2. Its output is read until both of its pipes are at their end; its exit, the deadline and too
 *    much output kill the whole group, so that nothing it started holds a pipe open.
 * 3. It is reaped last: until then its number is nobody else's. */
#include "agent/admin/worker_command.h"

#include "crypto/age_file.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

enum { OUTPUT, COMPLAINTS, EXIT, N_WATCHED };

typedef struct {
    const WorkerCommand *command;
    GPid pid;
    struct pollfd watched[N_WATCHED]; /* closed ones are -1 */
    GByteArray *answer;
    size_t n_complaints; /* bytes */
    bool is_late, is_too_long;
} Worker;

/* In the child, before the program begins: calls that are safe there and no others. A group of its
 * own; gone when whoever asked is gone; no core file with what was said. */
static void
on_child(gpointer user_data)
{
    const struct rlimit none = {0, 0};

    (void) setpgid(0, 0);                                   /* can not fail for oneself here */
    (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL); /* nor this */
    (void) setrlimit(RLIMIT_CORE, &none);                   /* nor lowering */
}

static bool
start(Worker *self, GError **error)
{
    const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", NULL};
    const GSpawnFlags flags =
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH_FROM_ENVP | G_SPAWN_CLOEXEC_PIPES;
    g_autoptr(GError) cause = NULL;
    int output = -1;
    int complaints = -1;
    const bool is_started = g_spawn_async_with_pipes_and_fds(
        "/", self->command->argv, environment, flags, on_child, NULL, self->command->input_fd, -1,
        -1, NULL, NULL, 0, &self->pid, NULL, &output, &complaints, &cause);

    (void) close(self->command->input_fd); /* the child has its own */
    if (!is_started) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the worker can not be started: %s",
                    cause->message);
        return false;
    }
    self->watched[OUTPUT] = (struct pollfd){output, POLLIN, 0};
    self->watched[COMPLAINTS] = (struct pollfd){complaints, POLLIN, 0};
    self->watched[EXIT] = (struct pollfd){pidfd_open(self->pid, 0), POLLIN, 0};
    return true;
}

static void
stop_watching(struct pollfd *watched)
{
    (void) close(watched->fd); /* read to its end, or given up */
    watched->fd = -1;
}

/* It has not been reaped, so the number is still its own. */
static void
kill_group(const Worker *self)
{
    (void) kill(-self->pid, SIGKILL); /* fails if nobody is left */
}

static void
take(Worker *self, const uint8_t *bytes, size_t n_bytes)
{
    if (self->answer->len + n_bytes <= self->command->max_bytes) {
        g_byte_array_append(self->answer, bytes, (guint) n_bytes);
    } else if (!self->is_too_long) {
        self->is_too_long = true;
        kill_group(self);
    }
}

static void
read_some(Worker *self, unsigned which)
{
    uint8_t chunk[CHUNK_BYTES];
    const ssize_t n = read(self->watched[which].fd, chunk, sizeof chunk);

    if (n > 0 && which == OUTPUT) {
        take(self, chunk, (size_t) n);
    } else if (n > 0) {
        self->n_complaints += (size_t) n;
    } else if (n == 0 || errno != EINTR) {
        stop_watching(&self->watched[which]);
    }
    explicit_bzero(chunk, sizeof chunk);
}

static bool
is_watching(const Worker *self)
{
    for (size_t i = 0; i < N_WATCHED; i++) {
        if (self->watched[i].fd >= 0)
            return true;
    }
    return false;
}

static void
follow(Worker *self)
{
    const int64_t until_us =
        g_get_monotonic_time() + (int64_t) self->command->timeout_s * G_USEC_PER_SEC;

    while (is_watching(self)) {
        const int64_t left_ms = (until_us - g_get_monotonic_time()) / 1000;

        if (left_ms <= 0 && !self->is_late) {
            self->is_late = true;
            kill_group(self);
        }
        /* Killed, its pipes end at once. */
        if (poll(self->watched, N_WATCHED, (int) CLAMP(left_ms, 100, 60000)) <= 0)
            continue;
        if (self->watched[EXIT].revents != 0) {
            kill_group(self);
            stop_watching(&self->watched[EXIT]);
            continue;
        }
        for (unsigned i = OUTPUT; i <= COMPLAINTS; i++) {
            if (self->watched[i].revents != 0)
                read_some(self, i);
        }
    }
}

static int
reap(const Worker *self)
{
    int status = 0;

    while (waitpid(self->pid, &status, 0) < 0 && errno == EINTR)
        ;
    g_spawn_close_pid(self->pid);
    return status;
}

static bool
judge(const Worker *self, int status, GError **error)
{
    g_autofree char *complaints =
        self->n_complaints == 0
            ? g_strdup("")
            : g_strdup_printf(" (it wrote %zu bytes to standard error, which are not shown: they "
                              "may hold what was said)",
                              self->n_complaints);

    if (self->is_too_long) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                    "the worker answered more than %zu KiB and was stopped",
                    self->command->max_bytes / 1024);
    } else if (self->is_late) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                    "the worker did not end within %u s and was stopped%s",
                    self->command->timeout_s, complaints);
    } else if (WIFSIGNALED(status)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the worker was ended by signal %d%s",
                    WTERMSIG(status), complaints);
    } else if (WEXITSTATUS(status) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the worker exited with status %d%s",
                    WEXITSTATUS(status), complaints);
    } else {
        return true;
    }
    return false;
}

GByteArray *
worker_command_run(const WorkerCommand *command, GError **error)
{
    Worker self = {.command = command, .answer = g_byte_array_new()};

    if (start(&self, error)) {
        follow(&self);
        if (judge(&self, reap(&self), error))
            return self.answer;
    }
    age_file_wipe(self.answer);
    return NULL;
}
