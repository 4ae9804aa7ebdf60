#pragma once

#include "agent/media/stall_guard.h"

#include <gst/gst.h>
#include <stdbool.h>

/* One decoder or encoder between two pads of ours, in push mode: what goes in comes out inside the
 * same call, or a later one, on the same thread. */
typedef struct MediaStage MediaStage;

typedef struct {
    const char *factory;
    const char *const *settings; /* name, value, name, value, ..., NULL; or NULL */
    const GstCaps *caps;         /* borrowed: of what goes in */
    const char *wanted;          /* caps of what comes out; NULL: whatever it likes */
    StallGuard *guard;           /* borrowed */
    const char *what;            /* for the guard, borrowed */
    /* `buffer` is taken by the callee; `caps` are borrowed. */
    void (*on_buffer)(GstBuffer *buffer, const GstCaps *caps, void *user_data);
    void *user_data;
} MediaStageOptions;

/* Errors: G_IO_ERROR_FAILED - the element is missing, or refuses `caps`. */
MediaStage *media_stage_new(const MediaStageOptions *options,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `buffer` is taken. Returns: false if the element failed: only media_stage_free() is left. */
bool media_stage_push(MediaStage *self, GstBuffer *buffer) G_GNUC_WARN_UNUSED_RESULT;

/* What is still inside comes out. */
void media_stage_finish(MediaStage *self);

void media_stage_free(MediaStage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaStage, media_stage_free)
