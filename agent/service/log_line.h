#pragma once

#include <glib.h>
#include <stdint.h>

/* One log message as one readable line:
 *   2026-11-21T17:00:00.123Z message recorder: session started session=5f... tracks=4
 * Whatever the message holds, it stays one line. Pure.
 * Returns: the line and its newline, owned. */
char *log_line_format(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                      int64_t now_unix_us);
