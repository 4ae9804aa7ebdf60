#include "storage/storage_error.h"

#include <errno.h>

/* clang-format would take the hyphen of G_DEFINE_QUARK(storage-error, ...) for a minus. */
GQuark
storage_error_quark(void)
{
    return g_quark_from_static_string("storage-error");
}

const char *const storage_error_words[N_STORAGE_ERRORS] = {
    [STORAGE_ERROR_IO] = "io",
    [STORAGE_ERROR_FULL] = "full",
    [STORAGE_ERROR_TRANSIENT] = "transient",
    [STORAGE_ERROR_DENIED] = "denied",
    [STORAGE_ERROR_NOT_FOUND] = "not-found",
    [STORAGE_ERROR_CONFLICT] = "conflict",
    [STORAGE_ERROR_CORRUPT] = "corrupt",
    [STORAGE_ERROR_BUSY] = "busy",
};

static StorageError
code_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* RLIMIT_FSIZE is a quota too */
        return STORAGE_ERROR_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: /* a symbolic link, or a file, stands where none may */
    case ENOTDIR:
        return STORAGE_ERROR_DENIED;
    case ENOENT:
        return STORAGE_ERROR_NOT_FOUND;
    case EEXIST:
        return STORAGE_ERROR_CONFLICT;
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ETIMEDOUT:
        return STORAGE_ERROR_TRANSIENT;
    default:
        return STORAGE_ERROR_IO;
    }
}

bool
storage_fail_errno(GError **error, const char *action, const char *name)
{
    const int number = errno;

    g_set_error(error, STORAGE_ERROR, (int) code_of_errno(number), "cannot %s %s: %s", action, name,
                g_strerror(number));
    return false;
}
