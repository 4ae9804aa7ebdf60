#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a reader of an audit log has come, kept durably in `<origin>.<reader>` beside the log:
 * the log itself is the queue of what the reader has not yet dealt with. One process at a time has
 * it, and one thread, but for audit_cursor_kept(). It neither locks nor checks the log: whoever
 * writes it does. */
typedef struct AuditCursor AuditCursor;

typedef struct {
    const char *folder; /* of the audit logs; the organisation's is there */
    const char *org;
    const char *origin; /* as names of files have it: audit_log_file_word() */
    const char *reader; /* a word */
} AuditCursorPlace;

/* Opens it where it was kept, or at the log's beginning. Errors: BUSY - another process reads with
 * it; CORRUPT - what was kept is no place in this log; the message says what to do. DENIED, IO. */
AuditCursor *audit_cursor_open(const AuditCursorPlace *place,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the next record, if its number is less than `n_records`, how many of them are durable.
 * `n_bytes`: out. Returns: its line without the end, owned; NULL without an error: no more.
 * Errors: CORRUPT - what stands there is not the record of that number; IO. */
char *audit_cursor_next(AuditCursor *self, uint64_t n_records, size_t *n_bytes, GError **error);

/* Keeps the place: all that was read is dealt with. Errors: any; then it is where it was. */
bool audit_cursor_keep(AuditCursor *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Goes back to the place that was kept. */
void audit_cursor_rewind(AuditCursor *self);

/* Returns: how many records were dealt with. Thread: any. */
uint64_t audit_cursor_kept(AuditCursor *self);

void audit_cursor_free(AuditCursor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditCursor, audit_cursor_free)
