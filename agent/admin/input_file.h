#pragma once

#include "crypto/byte_stream.h"

/* What a command reads: a file or standard input, of any length. Thread: one at a time. */
typedef struct InputFile InputFile;

/* Opens `path`, or standard input for NULL. Errors: GFileError, with the path. */
InputFile *input_file_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: for messages, the path or `standard input`, borrowed. */
const char *input_file_name(const InputFile *self);

/* Returns: the descriptor, borrowed. */
int input_file_fd(const InputFile *self);

/* Looks at the beginning without taking it: up to a few kilobytes, fewer only if there is no more.
 * Must come before any read.
 * `bytes`: borrowed until the next read. */
bool input_file_peek(InputFile *self, const uint8_t **bytes, size_t *n_bytes,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A ByteSource: `self` is an InputFile. Blocks. */
bool input_file_read(void *self, uint8_t *buffer, size_t n_bytes, size_t *n_read, GError **error);

void input_file_free(InputFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InputFile, input_file_free)
