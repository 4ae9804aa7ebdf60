#pragma once

#include "crypto/checkpoint.h"
#include "crypto/merkle_tree.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One organisation's audit log of one origin (one program on one host): a record per line, appended
 * and never changed, with an RFC 6962 tree over the lines and signed checkpoints of it. Two files
 * in
 * `<folder>/<org>`: `<origin>.log`, and `<origin>.checkpoint`, the last one signed here; what is
 * put into the store is the caller's affair.
 *
 * A line: `<number> <time> <words>`, number from 0, time in UTC with microseconds, never before
 * that of the line ahead. docs/audit.md has the words. Thread: any. What a call appends is on the
 * disk when it returns, so everything blocks. */
typedef struct AuditLog AuditLog;

typedef struct {
    const char *folder; /* made if it is not there, for its owner alone */
    const char *org;
    const NoteSigner *signer; /* borrowed until audit_log_free() */
    unsigned wait_ms;         /* for another process that writes it; 0: not at all */
} AuditLogOptions;

/* Opens it, or begins one. A last line cut by a crash goes, unless a checkpoint vouches for it. The
 * whole of it is held against the last checkpoint.
 * Errors: BUSY - another process writes it. CORRUPT - not what was signed: changed, cut or put
 * back; the message says which line, and nothing may go on. DENIED, FULL, IO. */
AuditLog *audit_log_open(const AuditLogOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends one record. `words`: one line of printable ASCII. Returns: true once it would survive a
 * power cut. Errors: any; then the record is not in the log, and after one that leaves that open
 * nothing more is appended until it is opened again. */
bool audit_log_append(AuditLog *self, const char *words, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Signs what has been appended, if that is more than is signed already. Errors: any; what was
 * signed before stays. */
bool audit_log_sign(AuditLog *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the last checkpoint's note, owned; NULL if there is none. `n_records`: out, its size. */
GBytes *audit_log_checkpoint(AuditLog *self, uint64_t *n_records);

/* Returns: how many records there are, signed or not. */
uint64_t audit_log_length(AuditLog *self);

/* Returns: `<key's name>/<org>`, as checkpoints have it; borrowed. */
const char *audit_log_origin(const AuditLog *self);

/* Returns: the word that stands for a key's name in names of files and objects, owned. */
char *audit_log_word_of(const char *key_name);

/* Returns: the origin as names of files and objects have it; borrowed. */
const char *audit_log_file_word(const AuditLog *self);

void audit_log_free(AuditLog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditLog, audit_log_free)
