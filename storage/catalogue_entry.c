#include "storage/catalogue_entry.h"

#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

static const char *const states[] = {"open", "stored", "incomplete", "erased"};
static const char *const reasons[] = {"", "interrupted", "segments-lost", "bytes-locked"};

void
catalogue_track_free(CatalogueTrack *self)
{
    g_free(self->id);
    g_free(self->kind);
    g_free(self->codec);
    g_free(self->participant);
    g_free(self);
}

void
catalogue_gap_free(CatalogueGap *self)
{
    g_free(self->track);
    g_free(self->reason);
    g_free(self);
}

CatalogueEntry *
catalogue_entry_new(const char *org, const char *session)
{
    CatalogueEntry *self = g_new0(CatalogueEntry, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->state = states[0];
    self->reason = reasons[0];
    self->head = g_strdup("");
    self->policy = g_strdup("");
    self->tracks = g_ptr_array_new_with_free_func((GDestroyNotify) catalogue_track_free);
    self->gaps = g_ptr_array_new_with_free_func((GDestroyNotify) catalogue_gap_free);
    self->envelopes = g_array_new(false, false, sizeof(uint32_t));
    return self;
}

bool
catalogue_gap_is_loss(const char *reason)
{
    static const char *const losses[] = {"overload",       "disk-full", "disk-failed",
                                         "sealing-failed", "corrupt",   NULL};

    return g_strv_contains(losses, reason);
}

bool
catalogue_entry_set_state(CatalogueEntry *self, const char *state, const char *reason)
{
    self->state = self->reason = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        if (strcmp(states[i], state) == 0)
            self->state = states[i];
        if (strcmp(reasons[i], reason) == 0)
            self->reason = reasons[i];
    }
    return self->state != NULL && self->reason != NULL;
}

static CatalogueTrack *
find_track(const CatalogueEntry *self, const char *id)
{
    for (guint i = 0; i < self->tracks->len; i++) {
        CatalogueTrack *track = g_ptr_array_index(self->tracks, i);

        if (strcmp(track->id, id) == 0)
            return track;
    }
    return NULL;
}

static void
add_track(CatalogueEntry *self, const ManifestTrack *row)
{
    CatalogueTrack *track = find_track(self, row->id);

    if (track != NULL)
        return; /* verify tells of it */
    track = g_new0(CatalogueTrack, 1);
    track->id = g_strdup(row->id);
    track->kind = g_strdup(row->kind);
    track->codec = g_strdup(row->codec);
    track->participant = g_strdup(row->participant);
    track->from_us = row->from_us;
    track->until_us = row->from_us;
    g_ptr_array_add(self->tracks, track);
    self->n_tracks++;
    if (self->created_us == 0)
        self->created_us = row->anchor_unix_us;
}

static void
cover(CatalogueEntry *self, CatalogueTrack *track, int64_t end_us)
{
    if (track != NULL)
        track->until_us = MAX(track->until_us, end_us);
    self->duration_us = MAX(self->duration_us, end_us);
}

static void
add_segment(CatalogueEntry *self, const ManifestSegment *row)
{
    CatalogueTrack *track = find_track(self, row->track);

    cover(self, track, row->start_us + row->duration_us);
    self->n_segments++;
    self->n_bytes += row->length;
    if (track == NULL)
        return;
    track->n_segments++;
    track->n_bytes += row->length;
    track->n_parts = MAX(track->n_parts, (uint64_t) row->part + 1);
}

static CatalogueGap *
find_gap(CatalogueEntry *self, const ManifestGap *row)
{
    CatalogueGap *gap = NULL;

    for (guint i = 0; i < self->gaps->len; i++) {
        gap = g_ptr_array_index(self->gaps, i);
        if (strcmp(gap->track, row->track) == 0 && strcmp(gap->reason, row->reason) == 0)
            return gap;
    }
    gap = g_new0(CatalogueGap, 1);
    gap->track = g_strdup(row->track);
    gap->reason = g_strdup(row->reason);
    g_ptr_array_add(self->gaps, gap);
    return gap;
}

static void
add_gap(CatalogueEntry *self, const ManifestGap *row)
{
    CatalogueGap *gap = find_gap(self, row);

    gap->n_gaps++;
    gap->duration_us += row->duration_us;
    cover(self, find_track(self, row->track), row->start_us + row->duration_us);
}

static int
compare_tracks(gconstpointer a, gconstpointer b)
{
    const CatalogueTrack *first = *(CatalogueTrack *const *) a;
    const CatalogueTrack *second = *(CatalogueTrack *const *) b;

    return strcmp(first->id, second->id);
}

static int
compare_gaps(gconstpointer a, gconstpointer b)
{
    const CatalogueGap *first = *(CatalogueGap *const *) a;
    const CatalogueGap *second = *(CatalogueGap *const *) b;
    const int by_track = strcmp(first->track, second->track);

    return by_track != 0 ? by_track : strcmp(first->reason, second->reason);
}

static bool
has_losses(const CatalogueEntry *self)
{
    for (guint i = 0; i < self->gaps->len; i++) {
        if (catalogue_gap_is_loss(
                ((const CatalogueGap *) g_ptr_array_index(self->gaps, i))->reason))
            return true;
    }
    return false;
}

static void
end(CatalogueEntry *self, SessionEnd how)
{
    if (how == SESSION_OPEN || how == SESSION_AMENDED)
        return;
    self->ended_us = self->created_us + self->duration_us;
    self->state = how == SESSION_CLOSED && !has_losses(self) ? states[1] : states[2];
    if (self->state == states[2])
        self->reason = how == SESSION_CLOSED ? reasons[2] : reasons[1];
}

static void
add_rows(CatalogueEntry *self, const ManifestPart *part)
{
    for (guint i = 0; i < part->tracks->len; i++)
        add_track(self, g_ptr_array_index(part->tracks, i));
    for (guint i = 0; i < part->segments->len; i++)
        add_segment(self, g_ptr_array_index(part->segments, i));
    for (guint i = 0; i < part->gaps->len; i++)
        add_gap(self, g_ptr_array_index(part->gaps, i));
    g_ptr_array_sort(self->tracks, compare_tracks);
    g_ptr_array_sort(self->gaps, compare_gaps);
    if (part->policies->len > 0) {
        const char *line = g_ptr_array_index(part->policies, part->policies->len - 1);

        g_free(self->policy);
        self->policy = g_strndup(line, strcspn(line, " "));
    }
}

static bool
follows(const CatalogueEntry *self, const ManifestPart *part, GError **error)
{
    g_autofree char *previous = part->has_previous ? digest_to_hex(&part->previous) : g_strdup("");

    if (part->number > self->n_parts + 1) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                    "part %u of the manifest of session %s is missing", self->n_parts + 1,
                    self->session);
        return false;
    }
    /* Only what amends may follow the end, and it follows nothing else. */
    if ((strcmp(self->state, states[0]) != 0) == (part->state == SESSION_AMENDED) &&
        strcmp(previous, self->head) == 0)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT,
                "part %u of the manifest of session %s does not follow part %u", part->number,
                self->session, self->n_parts);
    return false;
}

bool
catalogue_entry_add_part(CatalogueEntry *self, const ManifestPart *part, const Digest *note,
                         GError **error)
{
    if (part->number <= self->n_parts)
        return true;
    if (!follows(self, part, error))
        return false;
    add_rows(self, part);
    self->n_parts = part->number;
    g_free(self->head);
    self->head = digest_to_hex(note);
    end(self, part->state);
    return true;
}

bool
catalogue_entry_add_envelope(CatalogueEntry *self, uint32_t generation)
{
    guint place = 0;

    while (place < self->envelopes->len &&
           g_array_index(self->envelopes, uint32_t, place) < generation)
        place++;
    if (place < self->envelopes->len &&
        g_array_index(self->envelopes, uint32_t, place) == generation)
        return false;
    g_array_insert_val(self->envelopes, place, generation);
    return true;
}

/* An empty word would not show. */
static const char *
word(const char *text)
{
    return *text != '\0' ? text : "-";
}

char *
catalogue_entry_line(const CatalogueEntry *self, const char *details_digest)
{
    return g_strdup_printf("session %s %s %s %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64
                           " %" PRIu64 " %" PRIu64 " %u %s %s %s\n",
                           self->org, self->session, self->state, word(self->reason),
                           self->created_us, self->ended_us, self->duration_us, self->n_tracks,
                           self->n_segments, self->n_bytes, self->n_parts, word(self->head),
                           word(self->policy), details_digest);
}

char *
catalogue_entry_details(const CatalogueEntry *self)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < self->tracks->len; i++) {
        const CatalogueTrack *row = g_ptr_array_index(self->tracks, i);

        g_string_append_printf(
            text, "track %s %s %s %s %" PRId64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
            row->id, row->kind, row->codec, row->participant, row->from_us, row->until_us,
            row->n_segments, row->n_parts, row->n_bytes);
    }
    for (guint i = 0; i < self->gaps->len; i++) {
        const CatalogueGap *row = g_ptr_array_index(self->gaps, i);

        g_string_append_printf(text, "gap %s %s %" PRIu64 " %" PRId64 "\n", row->track, row->reason,
                               row->n_gaps, row->duration_us);
    }
    for (guint i = 0; i < self->envelopes->len; i++)
        g_string_append_printf(text, "envelope %u\n", g_array_index(self->envelopes, uint32_t, i));
    return g_string_free(text, FALSE);
}

void
catalogue_entry_free(CatalogueEntry *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    g_free(self->head);
    g_free(self->policy);
    g_ptr_array_unref(self->tracks);
    g_ptr_array_unref(self->gaps);
    g_array_unref(self->envelopes);
    g_free(self);
}
