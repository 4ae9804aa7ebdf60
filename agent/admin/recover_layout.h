#pragma once

#include "agent/media/layout_exporter.h"
#include "storage/manifest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the exporter of layouts has to know of a session, out of its manifest. */
typedef struct RecoverLayout RecoverLayout;

/* `manifest` is borrowed until freed; `roles`: participant id to role. Who has no role there is a
 * `Participant`; people of one role are numbered. `wants_track`: which tracks there shall be. */
RecoverLayout *recover_layout_new(const ManifestPart *manifest, GHashTable *roles,
                                  bool (*wants_track)(const char *track, void *user_data),
                                  void *user_data);

/* Returns: GArray of LayoutTrack, borrowed. */
const GArray *recover_layout_tracks(const RecoverLayout *self);

/* Returns: where the last of these tracks ends. */
int64_t recover_layout_end_us(const RecoverLayout *self);

void recover_layout_free(RecoverLayout *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecoverLayout, recover_layout_free)
