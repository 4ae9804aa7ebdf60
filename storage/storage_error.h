#pragma once

#include <glib.h>
#include <stdbool.h>

/* What callers of storage/ act differently on. */
typedef enum {
    STORAGE_ERROR_IO,        /* the disk or its file system failed: alarm */
    STORAGE_ERROR_FULL,      /* no space, quota or inodes left */
    STORAGE_ERROR_TRANSIENT, /* try again later */
    STORAGE_ERROR_DENIED,    /* permission: park and alarm */
    STORAGE_ERROR_NOT_FOUND,
    STORAGE_ERROR_CONFLICT, /* the name exists with other content: tampering or a bug; never
                               overwrite */
    STORAGE_ERROR_CORRUPT,  /* read back, but not what was written */
    STORAGE_ERROR_BUSY,     /* another process owns it */
    N_STORAGE_ERRORS,
} StorageError;

/* One word for each: `io`, `full`, ... */
extern const char *const storage_error_words[N_STORAGE_ERRORS];

#define STORAGE_ERROR (storage_error_quark())
GQuark storage_error_quark(void);

/* Sets `error` from errno: `cannot <action> <name>: <reason>`, with the code errno stands for.
 * Returns: false, so that a failure is one line. */
bool storage_fail_errno(GError **error, const char *action, const char *name);
