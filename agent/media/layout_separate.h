#pragma once

#include "agent/media/layout_cast.h"
#include "agent/media/movie_writer.h"
#include "agent/media/stall_guard.h"

#include <stdbool.h>
#include <stdint.h>

/* Each track a stream of its own from the beginning to the end, titled by its participant's role:
 * cards where there is no picture, silence where there is no sound. */
typedef struct LayoutSeparate LayoutSeparate;

/* As layout_mixed.h. Also reads each track's first segment: errors as its input's. */
LayoutSeparate *layout_separate_new(const LayoutCast *cast, MovieWriter *writer, StallGuard *guard,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool layout_separate_step(LayoutSeparate *self, int64_t at_us, GError **error);
bool layout_separate_finish(LayoutSeparate *self);

void layout_separate_free(LayoutSeparate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutSeparate, layout_separate_free)
