#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the last look at retention found of one organisation, `<org>.due` in the
 * ledger: numbers alone, for metrics and `sealtape status`, which can not look at every
 * recording each time they are asked. A plain value. */
typedef struct {
    int64_t at_unix_s; /* when it was looked */
    uint64_t n_due;    /* to be erased, by a rule, two people or a consent */
    uint64_t n_locked; /* erased by key, bytes locked until a day */
    uint64_t n_held;   /* blocked by a hold */
    uint64_t n_failed; /* of which nothing can be said, or whose erasure failed */
} DueFile;

/* `ledger`: the folder. */
bool due_file_write(const char *ledger, const char *org, const DueFile *due,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: false where nobody has looked yet, or the file can not be read; `due` is zero then. */
bool due_file_read(const char *ledger, const char *org, DueFile *due) G_GNUC_WARN_UNUSED_RESULT;
