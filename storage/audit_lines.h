#pragma once

#include "crypto/merkle_tree.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The lines of an audit log, as a file has them: read in order, numbered from 0, each with its
 * time, none before the one ahead. What follows the last whole line is left alone: a crash may have
 * cut it. */
typedef struct {
    MerkleTree tree;      /* of the lines so far, without their ends */
    int64_t last_unix_us; /* time of the last */
    size_t n_bytes;       /* of whole lines */
} AuditLines;

/* `line`: borrowed, without its end. `lines`: this line included. Returning false ends the reading
 * and must set `error`. */
typedef bool (*AuditLineFunc)(const AuditLines *lines, const char *line, size_t n_bytes,
                              void *user_data, GError **error);

/* Reads `content` into `self`, which is zero. `on_line`: may be NULL. Errors: CORRUPT - a line that
 * is not the record of its place; the message says which; those of `on_line`. */
bool audit_lines_read(AuditLines *self, GBytes *content, AuditLineFunc on_line, void *user_data,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
