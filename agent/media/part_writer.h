#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes one part: frames in, bytes of a Matroska file out (RFC 9559) whose segment and clusters
 * have no length, each frame's before the call returns. A cluster starts where the caller says, and
 * where a time would not fit the one before (32 s). Nothing is held back, so a part can end after
 * any frame. One thread. */
typedef struct PartWriter PartWriter;

typedef void (*PartWriterOnBytes)(const uint8_t *bytes, size_t n_bytes, void *user_data);

/* `caps`: of every frame of the part. Errors: G_IO_ERROR_FAILED - matroskamux is missing or refused
 * them. */
PartWriter *part_writer_new(const GstCaps *caps, PartWriterOnBytes on_bytes, void *user_data,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `frame`: with its PTS; taken and wiped. Returns: false if it can not be written; the writer
 * is of no more use then. */
bool part_writer_push(PartWriter *self, GstBuffer *frame,
                      bool starts_cluster) G_GNUC_WARN_UNUSED_RESULT;

void part_writer_free(PartWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PartWriter, part_writer_free)
