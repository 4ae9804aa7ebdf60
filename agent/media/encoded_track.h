#pragma once

#include "agent/media/export_codec.h"
#include "agent/media/exporter.h"
#include "agent/media/matroska_reader.h"
#include "agent/media/stall_guard.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The frames of one track, part after part, for who decodes them. A part is opened when the one
 * before it has ended, so one segment of the track is in memory. One thread at a time. */
typedef struct EncodedTrack EncodedTrack;

typedef struct {
    MatroskaFrame frame;        /* borrowed until encoded_track_pop() */
    const MatroskaTrack *track; /* of the part it is in; borrowed until the part's last frame */
    const ExportCodec *codec;
    unsigned part; /* counts the parts that were opened, from 1 */
} EncodedFrame;

/* `guard` is borrowed: once it is given up, no input is read any more. */
EncodedTrack *encoded_track_new(const char *title, StallGuard *guard);

/* Adds the track's next part. `input` is copied, what it points to is borrowed. */
void encoded_track_add(EncodedTrack *self, const ExporterInput *input);

/* Looks at the next frame. Returns: false at the end, or with `error` set (as matroska_reader.h; a
 * codec that is none of ours is G_IO_ERROR_INVALID_DATA). */
bool encoded_track_peek(EncodedTrack *self, EncodedFrame *next, GError **error);
void encoded_track_pop(EncodedTrack *self);

const char *encoded_track_title(const EncodedTrack *self);

void encoded_track_free(EncodedTrack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EncodedTrack, encoded_track_free)
