#pragma once

#include "agent/media/layout_exporter.h"
#include "storage/manifest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the exporter of layouts has to know of a session, out of its manifest. */
typedef struct LayoutPlan LayoutPlan;

/* `manifest` is borrowed until freed; `roles`: participant id to role. Who has no role there is a
 * `Participant`; people of one role are numbered. `wants_track`: which tracks there shall be. */
LayoutPlan *layout_plan_new(const ManifestPart *manifest, GHashTable *roles,
                            bool (*wants_track)(const char *track, void *user_data),
                            void *user_data);

/* Returns: GArray of LayoutTrack, borrowed. */
const GArray *layout_plan_tracks(const LayoutPlan *self);

/* Returns: where the last of these tracks ends. */
int64_t layout_plan_end_us(const LayoutPlan *self);

void layout_plan_free(LayoutPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutPlan, layout_plan_free)
