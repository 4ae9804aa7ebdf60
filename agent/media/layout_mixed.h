#pragma once

#include "agent/media/layout_cast.h"
#include "agent/media/layout_exporter.h"
#include "agent/media/movie_writer.h"
#include "agent/media/stall_guard.h"

#include <stdbool.h>
#include <stdint.h>

/* Grid and speaker: one stream of pictures with everyone in it, and one of everyone's sound. */
typedef struct LayoutMixed LayoutMixed;

/* `cast`, `writer` and `guard` are borrowed. Errors: G_IO_ERROR_FAILED - an element or the font is
 * missing. */
LayoutMixed *layout_mixed_new(LayoutKind kind, const LayoutCast *cast, MovieWriter *writer,
                              StallGuard *guard, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the picture of `at_us` and the sound until the next. Returns: false with `error` set if a
 * track can not be read, or without if the writer knows why. */
bool layout_mixed_step(LayoutMixed *self, int64_t at_us, GError **error);

/* Returns: as layout_mixed_step(). */
bool layout_mixed_finish(LayoutMixed *self);

void layout_mixed_free(LayoutMixed *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutMixed, layout_mixed_free)
