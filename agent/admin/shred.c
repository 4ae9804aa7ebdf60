#include "agent/admin/shred.h"

#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 64 << 10 };

static bool
fail(GError **error, const char *path, const char *sentence)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: %s", path, sentence);
    return false;
}

bool
shred_check(const char *path, GError **error)
{
    struct stat found;

    if (g_str_has_prefix(path, "pkcs11:")) {
        return fail(error, path,
                    "a key in a token is deleted with the token's tools; then say --gone");
    }
    if (lstat(path, &found) != 0)
        return storage_fail_errno(error, "look at", path);
    if (!S_ISREG(found.st_mode))
        return fail(error, path, "is not a file of its own, so what it leads to would stay");
    if (found.st_nlink != 1)
        return fail(error, path, "has another name too (a hard link), under which it would stay");
    if (found.st_size > MOST_BYTES)
        return fail(error, path, "is longer than any file of a key");
    return true;
}

/* One pass: more have done nothing for any disk of this century. */
static bool
overwrite(int file, off_t n_bytes)
{
    uint8_t zeros[4096] = {0};

    for (off_t done = 0; done < n_bytes; done += sizeof(zeros)) {
        const size_t n_part = (size_t) MIN((off_t) sizeof(zeros), n_bytes - done);

        if (pwrite(file, zeros, n_part, done) != (ssize_t) n_part)
            return false;
    }
    return fsync(file) == 0 && ftruncate(file, 0) == 0 && fsync(file) == 0;
}

bool
shred_file(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_auto(Fd) dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_auto(Fd) file = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat found;

    if (dir < 0)
        return storage_fail_errno(error, "open", folder);
    if (file < 0 || fstat(file, &found) != 0)
        return storage_fail_errno(error, "open", path);
    if (!overwrite(file, found.st_size))
        return storage_fail_errno(error, "overwrite", path);
    if (unlink(path) != 0)
        return storage_fail_errno(error, "remove", path);
    if (fsync(dir) != 0)
        return storage_fail_errno(error, "flush", folder);
    return true;
}
