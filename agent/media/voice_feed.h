#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One participant's sound as a recogniser wants it: a WAV of 16-bit mono at 16 kHz whose zero is
 * the session's, all their tracks added, silence where there is none. It goes into a pipe, at the
 * reader's speed, and nowhere else; in memory are a segment of each track and a tenth of a second.
 * Made by a thread of its own. */
typedef struct VoiceFeed VoiceFeed;

#define VOICE_FEED_RATE 16000

typedef struct {
    const GArray *inputs; /* of ExporterInput, parts of a track in their order; borrowed until
                             voice_feed_end() */
    int64_t until_us;     /* of the session's timeline, after zero */
    int fd;               /* taken, and closed at the end: where to write to */
    int64_t stall_us;     /* how long one call of a decoder may take; 0: a minute */
} VoiceFeedOptions;

/* Begins. media_start() and media_start_layouts() came before. */
VoiceFeed *voice_feed_start(const VoiceFeedOptions *options);

/* Waits for the end and frees. Blocks as long as the reader takes; who closes its end ends it.
 * Returns: true if all was written, or the reader would not have more.
 * Errors: what an input's read_next gave; G_IO_ERROR_INVALID_DATA - not a segment;
 * G_IO_ERROR_TIMED_OUT - a decoder hangs: its thread stays behind with all that it holds, so the
 * program should end soon; others of GIO - the pipe can not be written. */
bool voice_feed_end(VoiceFeed *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
