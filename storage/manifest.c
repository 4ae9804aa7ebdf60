#include "storage/manifest.h"

#include "storage/manifest_words.h"

#include <inttypes.h>
#include <string.h>

static void
free_segment(void *data)
{
    ManifestSegment *row = data;

    g_free(row->track);
    g_free(row->object);
    g_free(row);
}

static void
free_mark(void *data)
{
    ManifestMark *row = data;

    g_free(row->mark);
    g_free(row->reason);
    g_free(row);
}

static void
free_track(void *data)
{
    ManifestTrack *row = data;

    g_free(row->id);
    g_free(row->kind);
    g_free(row->codec);
    g_free(row->participant);
    g_free(row->recipient);
    g_free(row);
}

static void
free_gap(void *data)
{
    ManifestGap *row = data;

    g_free(row->track);
    g_free(row->reason);
    g_free(row);
}

static void
free_clock(void *data)
{
    ManifestClock *row = data;

    g_free(row->track);
    g_free(row);
}

static void
free_end(void *data)
{
    ManifestEnd *row = data;

    g_free(row->track);
    g_free(row);
}

static void
free_count(void *data)
{
    ManifestCount *row = data;

    g_free(row->track);
    g_free(row);
}

bool
manifest_track_is_media(const ManifestTrack *self)
{
    return strcmp(self->kind, MANIFEST_KIND_TEXT) != 0;
}

ManifestPart *
manifest_part_new(const char *org, const char *session, uint32_t number)
{
    ManifestPart *self = g_new0(ManifestPart, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->number = number;
    self->policies = g_ptr_array_new_with_free_func(g_free);
    self->marks = g_ptr_array_new_with_free_func(free_mark);
    self->tracks = g_ptr_array_new_with_free_func(free_track);
    self->segments = g_ptr_array_new_with_free_func(free_segment);
    self->gaps = g_ptr_array_new_with_free_func(free_gap);
    self->clocks = g_ptr_array_new_with_free_func(free_clock);
    self->ends = g_ptr_array_new_with_free_func(free_end);
    self->counts = g_ptr_array_new_with_free_func(free_count);
    return self;
}

void
manifest_part_free(ManifestPart *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    g_ptr_array_unref(self->policies);
    g_ptr_array_unref(self->marks);
    g_ptr_array_unref(self->tracks);
    g_ptr_array_unref(self->segments);
    g_ptr_array_unref(self->gaps);
    g_ptr_array_unref(self->clocks);
    g_ptr_array_unref(self->ends);
    g_ptr_array_unref(self->counts);
    g_free(self);
}

static void
write_head(GString *text, const ManifestPart *self)
{
    g_autofree char *previous = self->has_previous ? digest_to_hex(&self->previous) : g_strdup("-");

    g_string_append_printf(text, "sealtape-manifest/v1\norg %s\nsession %s\npart %u\nprev %s\n",
                           self->org, self->session, self->number, previous);
    g_string_append_printf(text, "state %s\n", manifest_words_of_state(self->state));
}

static void
write_segment(GString *text, const ManifestSegment *row)
{
    char flags[MANIFEST_WORDS_FLAG_BYTES];
    g_autofree char *digest = digest_to_hex(&row->digest);

    manifest_words_of_flags(row->flags, flags);
    g_string_append_printf(text, "seg %s %u %u %" PRId64 " %" PRId64 " %s %s %" PRIu64 " %" PRIu64,
                           row->track, row->part, row->index, row->start_us, row->duration_us,
                           flags, row->object, row->offset, row->length);
    g_string_append_printf(text, " %s\n", digest);
}

static void
write_track(GString *text, const ManifestTrack *row)
{
    g_string_append_printf(text, "track %s %s %s %s %s %" PRId64 " %" PRId64 "\n", row->id,
                           row->kind, row->codec, row->participant, row->recipient,
                           row->anchor_unix_us, row->from_us);
}

static void
write_count(GString *text, const ManifestCount *row)
{
    g_string_append_printf(text, "count %s %" PRIu64, row->track,
                           track_counts_expected(&row->counts));
    for (size_t i = 0; i < row->counts.n_known; i++)
        g_string_append_printf(text, " %" PRIu64, row->counts.of[i]);
    g_string_append_c(text, '\n');
}

char *
manifest_part_to_text(const ManifestPart *self)
{
    GString *text = g_string_new(NULL);

    write_head(text, self);
    for (guint i = 0; i < self->policies->len; i++) {
        g_string_append_printf(text, "policy %s\n",
                               (const char *) g_ptr_array_index(self->policies, i));
    }
    for (guint i = 0; i < self->marks->len; i++) {
        const ManifestMark *row = g_ptr_array_index(self->marks, i);

        g_string_append_printf(text, "mark %s %s\n", row->mark, row->reason);
    }
    for (guint i = 0; i < self->tracks->len; i++)
        write_track(text, g_ptr_array_index(self->tracks, i));
    for (guint i = 0; i < self->clocks->len; i++) {
        const ManifestClock *row = g_ptr_array_index(self->clocks, i);

        g_string_append_printf(text, "clock %s %u %" PRId64 " %u\n", row->track, row->part,
                               row->start_us, row->rtp_timestamp);
    }
    for (guint i = 0; i < self->segments->len; i++)
        write_segment(text, g_ptr_array_index(self->segments, i));
    for (guint i = 0; i < self->gaps->len; i++) {
        const ManifestGap *row = g_ptr_array_index(self->gaps, i);

        g_string_append_printf(text, "gap %s %" PRId64 " %" PRId64 " %s\n", row->track,
                               row->start_us, row->duration_us, row->reason);
    }
    for (guint i = 0; i < self->ends->len; i++) {
        const ManifestEnd *row = g_ptr_array_index(self->ends, i);

        g_string_append_printf(text, "end %s %u %" PRId64 "\n", row->track, row->n_segments,
                               row->duration_us);
    }
    for (guint i = 0; i < self->counts->len; i++)
        write_count(text, g_ptr_array_index(self->counts, i));
    return g_string_free(text, false);
}
