#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One part's muxer: frames in, bytes of a streamable Matroska file out, each frame's before the
 * call returns. A cluster starts where the caller says, and within 32 s. */
typedef struct PartWriter PartWriter;

typedef void (*PartWriterOnBytes)(const uint8_t *bytes, size_t n_bytes, void *user_data);

/* `caps`: of every frame of the part. Errors: G_IO_ERROR_FAILED - matroskamux is missing or refused
 * them. */
PartWriter *part_writer_new(const GstCaps *caps, PartWriterOnBytes on_bytes, void *user_data,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `frame` is taken and wiped. Returns: false if the muxer failed. */
bool part_writer_push(PartWriter *self, GstBuffer *frame, bool starts_cluster);

/* Ends the file; what the muxer holds comes out. */
void part_writer_finish(PartWriter *self);

void part_writer_free(PartWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PartWriter, part_writer_free)
