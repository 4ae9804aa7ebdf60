#include "agent/playback/layout_plan.h"

#include <string.h>

#define UNKNOWN_ROLE "participant"

struct LayoutPlan {
    const ManifestPart *manifest;
    GHashTable *roles;
    GHashTable *captions; /* of participants */
    GArray *tracks;       /* LayoutTrack; owns each one's gaps */
};

static void
track_clear(void *data)
{
    g_array_unref((GArray *) ((LayoutTrack *) data)->gaps);
}

static const char *
role_of(const LayoutPlan *self, const char *participant)
{
    const char *role = g_hash_table_lookup(self->roles, participant);

    return role != NULL ? role : UNKNOWN_ROLE;
}

/* `Client`, or `Client 2` if there are several. `number`: of this one among those of their role. */
static char *
caption_of(const char *role, unsigned number, unsigned n_alike)
{
    g_autofree char *text = g_strdup(role);

    g_strdelimit(text, "-_", ' ');
    text[0] = g_ascii_toupper(text[0]);
    return n_alike > 1 ? g_strdup_printf("%s %u", text, number) : g_steal_pointer(&text);
}

/* Returns: the participants with tracks, each once, in the manifest's order; borrowed strings. */
static GPtrArray *
list_participants(const ManifestPart *manifest)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (manifest_track_is_media(track) &&
            !g_ptr_array_find_with_equal_func(list, track->participant, g_str_equal, NULL))
            g_ptr_array_add(list, track->participant);
    }
    return list;
}

static void
make_captions(LayoutPlan *self)
{
    g_autoptr(GPtrArray) people = list_participants(self->manifest);

    for (guint i = 0; i < people->len; i++) {
        const char *role = role_of(self, people->pdata[i]);
        unsigned number = 0;
        unsigned n_alike = 0;

        for (guint j = 0; j < people->len; j++) {
            const bool is_alike = strcmp(role_of(self, people->pdata[j]), role) == 0;

            n_alike += is_alike ? 1 : 0;
            number += is_alike && j <= i ? 1 : 0;
        }
        g_hash_table_insert(self->captions, people->pdata[i], caption_of(role, number, n_alike));
    }
}

static int
compare_gaps(gconstpointer a, gconstpointer b)
{
    const LayoutGap *x = a;
    const LayoutGap *y = b;

    return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

static GArray *
gaps_of(const ManifestPart *manifest, const char *track)
{
    GArray *gaps = g_array_new(FALSE, FALSE, sizeof(LayoutGap));

    for (guint i = 0; i < manifest->gaps->len; i++) {
        const ManifestGap *row = manifest->gaps->pdata[i];
        const LayoutGap gap = {row->start_us, row->duration_us, row->reason};

        if (strcmp(row->track, track) == 0)
            g_array_append_val(gaps, gap);
    }
    g_array_sort(gaps, compare_gaps);
    return gaps;
}

/* As its `end` line says; without one (the manifest is still open) as far as anything is known. */
static int64_t
end_of(const ManifestPart *manifest, const ManifestTrack *track)
{
    int64_t end_us = track->from_us;

    for (guint i = 0; i < manifest->ends->len; i++) {
        const ManifestEnd *end = manifest->ends->pdata[i];

        if (strcmp(end->track, track->id) == 0)
            return track->from_us + end->duration_us;
    }
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *segment = manifest->segments->pdata[i];

        if (strcmp(segment->track, track->id) == 0)
            end_us = MAX(end_us, segment->start_us + segment->duration_us);
    }
    for (guint i = 0; i < manifest->gaps->len; i++) {
        const ManifestGap *gap = manifest->gaps->pdata[i];

        if (strcmp(gap->track, track->id) == 0)
            end_us = MAX(end_us, gap->start_us + gap->duration_us);
    }
    return end_us;
}

LayoutPlan *
layout_plan_new(const ManifestPart *manifest, GHashTable *roles,
                bool (*wants_track)(const char *track, void *user_data), void *user_data)
{
    LayoutPlan *self = g_new0(LayoutPlan, 1);

    self->manifest = manifest;
    self->roles = g_hash_table_ref(roles);
    self->captions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    self->tracks = g_array_new(FALSE, FALSE, sizeof(LayoutTrack));
    g_array_set_clear_func(self->tracks, track_clear);
    make_captions(self);
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];
        LayoutTrack row = {.id = track->id, .participant = track->participant};

        if (!manifest_track_is_media(track) || !wants_track(track->id, user_data))
            continue;
        row.caption = g_hash_table_lookup(self->captions, track->participant);
        row.gaps = gaps_of(manifest, track->id);
        row.from_us = track->from_us;
        row.until_us = end_of(manifest, track);
        row.is_video = strcmp(track->kind, "video") == 0;
        g_array_append_val(self->tracks, row);
    }
    return self;
}

const GArray *
layout_plan_tracks(const LayoutPlan *self)
{
    return self->tracks;
}

int64_t
layout_plan_end_us(const LayoutPlan *self)
{
    int64_t end_us = 0;

    for (guint i = 0; i < self->tracks->len; i++)
        end_us = MAX(end_us, g_array_index(self->tracks, LayoutTrack, i).until_us);
    return end_us;
}

void
layout_plan_free(LayoutPlan *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->tracks);
    g_hash_table_unref(self->captions);
    g_hash_table_unref(self->roles);
    g_free(self);
}
