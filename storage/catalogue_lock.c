#include "storage/catalogue_lock.h"

#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLL_MS = 20 };

/* Root may come first; the recorder, whose folder it is, must be able to take it later. */
static void
give_to_owner_of_folder(int file, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat owner;

    if (geteuid() == 0 && stat(folder, &owner) == 0)
        (void) !fchown(file, owner.st_uid,
                       owner.st_gid); /* else it stays root's: told when needed */
}

Fd
catalogue_lock_take(const char *path, bool is_alone, unsigned wait_ms, GError **error)
{
    g_autofree char *name = g_strconcat(path, ".lock", NULL);
    g_auto(Fd) file = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    const int64_t until_us = g_get_monotonic_time() + wait_ms * INT64_C(1000);
    Fd taken = -1;

    if (file < 0) {
        (void) storage_fail_errno(error, "open", name);
        return -1;
    }
    give_to_owner_of_folder(file, path);
    while (flock(file, (is_alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            (void) storage_fail_errno(error, "lock", name);
            return -1;
        }
        if (g_get_monotonic_time() >= until_us) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY, "%s is in use by another process",
                        path);
            return -1;
        }
        (void) poll(NULL, 0, POLL_MS); /* flock() tells nobody when a lock is let go */
    }
    taken = file;
    file = -1;
    return taken;
}
