#pragma once

#include "crypto/byte_stream.h"

#include <sys/types.h>

/* What a command writes: standard output, or a file that appears under its name only when it is
 * complete. Thread: one at a time, and one file at a time (see undo.h). */
typedef struct OutputFile OutputFile;

typedef enum {
    OUTPUT_FILE_REPLACE, /* put in place of a file that is there, as age does */
    OUTPUT_FILE_NEW,     /* never overwrite: keys */
} OutputFileRule;

/* Prepares to write `path`; NULL or `-` for standard output. A device or pipe is written to
 * directly. `mode`: of a new file, before the umask. Errors: GFileError, with the path; EXIST for a
 * file that must not be overwritten. */
OutputFile *output_file_open(const char *path, OutputFileRule rule, mode_t mode,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: whether what is written goes to a terminal that nobody asked for with `-`. */
bool output_file_is_terminal(const OutputFile *self);

/* Returns: the descriptor, borrowed. */
int output_file_fd(const OutputFile *self);

/* A ByteSink: `self` is an OutputFile. Blocks. */
bool output_file_write(void *self, const uint8_t *bytes, size_t n_bytes, GError **error);

/* Gives the file its name; a new one is flushed to the disk first. */
bool output_file_finish(OutputFile *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes a file that was not finished. */
void output_file_free(OutputFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutputFile, output_file_free)
