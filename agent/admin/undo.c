#include "agent/admin/undo.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static const char *_Atomic file_path;
static const struct termios *_Atomic terminal_settings;
static atomic_int terminal_fd;

/* Only what POSIX allows a signal handler; the program ends, so no result matters. */
static void
on_signal(int number)
{
    const char *path = atomic_load(&file_path);
    const struct termios *settings = atomic_load(&terminal_settings);

    if (path != NULL)
        (void) unlink(path);
    if (settings != NULL)
        (void) tcsetattr(atomic_load(&terminal_fd), TCSANOW, settings);
    (void) signal(number, SIG_DFL);
    (void) raise(number);
}

static void
catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        /* What is ignored, by nohup for example, stays so. */
        if (signal(numbers[i], on_signal) == SIG_IGN)
            (void) signal(numbers[i], SIG_IGN);
    }
}

void
undo_remove_file(const char *path)
{
    atomic_store(&file_path, path);
    if (path != NULL)
        catch_signals();
}

void
undo_restore_terminal(int fd, const struct termios *settings)
{
    atomic_store(&terminal_fd, fd);
    atomic_store(&terminal_settings, settings);
    if (settings != NULL)
        catch_signals();
}
