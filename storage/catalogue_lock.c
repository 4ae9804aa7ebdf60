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

    if (geteuid() == 0 && stat(folder, &owner) == 0) {
        (void) !fchown(file, owner.st_uid,
                       owner.st_gid); /* else it stays root's: told when needed */
    }
}

/* flock() tells nobody when a lock is let go, so it is asked for again and again. */
static bool
wait_for_lock(int file, int operation, unsigned wait_ms)
{
    const int64_t until_us = g_get_monotonic_time() + wait_ms * INT64_C(1000);

    while (flock(file, operation | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || g_get_monotonic_time() >= until_us)
            return false;
        (void) poll(NULL, 0, POLL_MS); /* only the time counts */
    }
    return true;
}

Fd
catalogue_lock_take(const char *path, bool is_alone, unsigned wait_ms, GError **error)
{
    g_autofree char *name = g_strconcat(path, ".lock", NULL);
    Fd file = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (file < 0) {
        (void) storage_fail_errno(error, "open", name);
        return -1;
    }
    give_to_owner_of_folder(file, path);
    if (wait_for_lock(file, is_alone ? LOCK_EX : LOCK_SH, wait_ms))
        return file;
    if (errno == EWOULDBLOCK || errno == EINTR) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY, "%s is in use by another process",
                    path);
    } else {
        (void) storage_fail_errno(error, "lock", name);
    }
    fd_close(&file);
    return -1;
}
