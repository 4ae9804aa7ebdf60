#include "agent/playback/opened_tracks.h"

#include "agent/playback/segment_opening.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"

#include <string.h>

struct OpenedTracks {
    Recording *recording;
    const ManifestPart *manifest;
    OpenedTracksOptions options;
    GPtrArray *parts; /* Part */
    GArray *inputs;   /* ExporterInput */
    GMutex mutex;     /* held while the recording is read and what was left out is noted */
    GPtrArray *left_out;
};

/* One part of one track. */
typedef struct {
    OpenedTracks *source;
    const ManifestTrack *track;
    uint32_t number;
    GPtrArray *identities; /* borrowed */
    SegmentOpening *opening;
    GPtrArray *segments;  /* ManifestSegment, borrowed, by index */
    ObjectWindow *window; /* NULL until something is read */
    guint next;
} Part;

static void
part_free(gpointer data)
{
    Part *self = data;

    g_ptr_array_unref(self->segments);
    object_window_free(self->window);
    segment_opening_free(self->opening);
    g_free(self);
}

/* From the whole object, which a replica may have, or the store knows to be damaged. */
static GBytes *
read_whole(OpenedTracks *self, const ManifestSegment *segment, GError **error)
{
    GBytes *sealed = NULL;

    g_mutex_lock(&self->mutex);
    sealed = recording_read_segment(self->recording, segment, error);
    g_mutex_unlock(&self->mutex);
    return sealed;
}

static bool
open_sealed(const Part *self, const ManifestSegment *segment, const struct iovec *sealed,
            PlainBuffer *plain, GError **error)
{
    const ManifestPart *manifest = self->source->manifest;
    g_autoptr(AgeContext) context = age_context_new_segment(
        manifest->org, manifest->session, segment->track, segment->part, segment->index);
    struct iovec opened;

    if (!age_file_open_into(self->identities, context, sealed, plain, error))
        return false;
    opened = (struct iovec){plain->bytes, plain->n_bytes};
    if (segment_opening_prove(self->opening, self->identities, segment, &opened, error))
        return true;
    plain_buffer_clear(plain);
    return false;
}

static bool
open_segment(Part *self, const ManifestSegment *segment, PlainBuffer *plain, GError **error)
{
    g_autoptr(GBytes) whole = NULL;
    gsize n_bytes = segment->length;
    const uint8_t *sealed = recording_peek_segment(self->source->recording, segment, &self->window);
    bool is_open = false;

    if (sealed == NULL) {
        whole = read_whole(self->source, segment, error);
        sealed = whole != NULL ? g_bytes_get_data(whole, &n_bytes) : NULL;
    }
    if (sealed != NULL) {
        const struct iovec file = {(void *) (uintptr_t) sealed, n_bytes};

        is_open = open_sealed(self, segment, &file, plain, error);
    }
    if (!is_open) {
        g_prefix_error(error, "segment %u of track %s, part %u: ", segment->index, segment->track,
                       segment->part);
    }
    return is_open;
}

static void
leave_out(Part *self, const ManifestSegment *segment, GError *fault)
{
    /* Without the part's header, nothing behind it can be read. */
    bool is_header = segment->index == 0;

    g_mutex_lock(&self->source->mutex);
    g_ptr_array_add(self->source->left_out,
                    g_strconcat(fault->message,
                                is_header ? "; the whole part is left out" : "; it is left out",
                                NULL));
    g_mutex_unlock(&self->source->mutex);
    g_error_free(fault);
    if (is_header)
        self->next = self->segments->len;
}

/* The exporter's. */
static bool
on_read_next(void *user_data, PlainBuffer *plain, GError **error)
{
    Part *self = user_data;

    while (self->next < self->segments->len) {
        const ManifestSegment *segment = self->segments->pdata[self->next++];
        GError *fault = NULL;

        if (open_segment(self, segment, plain, &fault))
            return true;
        if (!self->source->options.is_partial) {
            g_propagate_error(error, fault);
            return false;
        }
        leave_out(self, segment, fault);
    }
    return false;
}

static int
compare_indices(gconstpointer a, gconstpointer b)
{
    const ManifestSegment *x = *(const ManifestSegment *const *) a;
    const ManifestSegment *y = *(const ManifestSegment *const *) b;

    return (x->index > y->index) - (x->index < y->index);
}

/* Keeps the header and what lies in the wanted time: from the last segment that starts with a
 * keyframe not after `from_us`, to the last that starts before `until_us`. */
static void
keep_wanted_time(Part *self)
{
    const OpenedTracksOptions *options = &self->source->options;
    GPtrArray *kept = g_ptr_array_new();
    guint first = 0;

    for (guint i = 0; i < self->segments->len; i++) {
        const ManifestSegment *segment = self->segments->pdata[i];

        if ((segment->flags & SEGMENT_FLAG_KEYFRAME) != 0 && segment->start_us <= options->from_us)
            first = i;
    }
    for (guint i = 0; i < self->segments->len; i++) {
        const ManifestSegment *segment = self->segments->pdata[i];

        if ((segment->index == 0 || i >= first) && segment->start_us < options->until_us)
            g_ptr_array_add(kept, self->segments->pdata[i]);
    }
    g_ptr_array_unref(self->segments);
    self->segments = kept;
}

/* Whether anything of the part lies in the wanted time. */
static bool
is_wanted_time(const Part *self)
{
    for (guint i = 0; i < self->segments->len; i++) {
        const ManifestSegment *segment = self->segments->pdata[i];

        if (segment->start_us + segment->duration_us > self->source->options.from_us &&
            segment->start_us < self->source->options.until_us)
            return true;
    }
    return false;
}

static void
add_part(OpenedTracks *self, Part *part)
{
    ExporterInput input = {
        .title = part->track->id,
        .codec = part->track->codec,
        .read_next = on_read_next,
        .user_data = part,
    };

    g_ptr_array_sort(part->segments, compare_indices);
    if (!is_wanted_time(part)) {
        part_free(part);
        return;
    }
    keep_wanted_time(part);
    g_ptr_array_add(self->parts, part);
    g_array_append_val(self->inputs, input);
}

static Part *
part_new(OpenedTracks *self, const ManifestTrack *track, uint32_t number, GPtrArray *identities)
{
    Part *part = g_new0(Part, 1);

    part->source = self;
    part->track = track;
    part->number = number;
    part->identities = identities;
    part->opening = segment_opening_new(self->recording);
    part->segments = g_ptr_array_new();
    for (guint i = 0; i < self->manifest->segments->len; i++) {
        ManifestSegment *segment = self->manifest->segments->pdata[i];

        if (segment->part == number && strcmp(segment->track, track->id) == 0)
            g_ptr_array_add(part->segments, segment);
    }
    return part;
}

/* Returns: the number behind the track's last part; 0 if it has none. */
static uint32_t
count_parts(const ManifestPart *manifest, const char *track)
{
    uint32_t n_parts = 0;

    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *segment = manifest->segments->pdata[i];

        if (strcmp(segment->track, track) == 0)
            n_parts = MAX(n_parts, segment->part + 1);
    }
    return n_parts;
}

static bool
add_track(OpenedTracks *self, const TrackKeys *keys, const ManifestTrack *track, GError **error)
{
    uint32_t n_parts = count_parts(self->manifest, track->id);
    GPtrArray *identities = NULL;

    if (n_parts == 0)
        return true; /* nothing was recorded of it, so no key is needed */
    identities = track_keys_of(keys, track->id, error);
    for (uint32_t i = 0; identities != NULL && i < n_parts; i++)
        add_part(self, part_new(self, track, i, identities));
    return identities != NULL;
}

OpenedTracks *
opened_tracks_new(Recording *recording, const TrackKeys *keys, const OpenedTracksOptions *options,
                  GError **error)
{
    g_autoptr(OpenedTracks) self = g_new0(OpenedTracks, 1);

    g_mutex_init(&self->mutex);
    self->recording = recording;
    self->manifest = recording_manifest(recording);
    self->options = *options;
    self->parts = g_ptr_array_new_with_free_func(part_free);
    self->inputs = g_array_new(FALSE, FALSE, sizeof(ExporterInput));
    self->left_out = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < self->manifest->tracks->len; i++) {
        const ManifestTrack *track = self->manifest->tracks->pdata[i];

        if (manifest_track_is_media(track) && options->wants_track(track->id, options->user_data) &&
            !add_track(self, keys, track, error))
            return NULL;
    }
    return g_steal_pointer(&self);
}

const GArray *
opened_tracks_inputs(const OpenedTracks *self)
{
    return self->inputs;
}

const ExporterInput *
opened_tracks_part(const OpenedTracks *self, const char *track, unsigned part)
{
    for (guint i = 0; i < self->parts->len; i++) {
        const Part *one = self->parts->pdata[i];

        if (one->number == part && strcmp(one->track->id, track) == 0)
            return &g_array_index(self->inputs, ExporterInput, i);
    }
    return NULL;
}

const GPtrArray *
opened_tracks_left_out(const OpenedTracks *self)
{
    return self->left_out;
}

void
opened_tracks_free(OpenedTracks *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->parts);
    g_array_unref(self->inputs);
    g_ptr_array_unref(self->left_out);
    g_mutex_clear(&self->mutex);
    g_free(self);
}
