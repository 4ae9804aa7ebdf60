#include "agent/admin/session_facts.h"

#include "agent/admin/completeness.h"
#include "agent/admin/time_text.h"
#include "agent/admin/timeline.h"
#include "storage/catalogue_entry.h"

#include <stdbool.h>
#include <string.h>

static void
track_facts_free(gpointer data)
{
    TrackFacts *self = data;

    g_array_unref(self->spans);
    g_free(self);
}

static void
add_span(TrackFacts *self, int64_t start_us, int64_t duration_us, const char *reason)
{
    const TimelineSpan span = {start_us, duration_us, reason};

    g_array_append_val(self->spans, span);
    self->duration_us = MAX(self->duration_us, start_us + duration_us);
}

static const TrackCounts *
find_counts(const ManifestPart *manifest, const char *track)
{
    for (guint i = 0; i < manifest->counts->len; i++) {
        const ManifestCount *row = manifest->counts->pdata[i];

        if (strcmp(row->track, track) == 0)
            return &row->counts;
    }
    return NULL;
}

static TrackFacts *
track_facts_new(const ManifestPart *manifest, const ManifestTrack *track)
{
    TrackFacts *self = g_new0(TrackFacts, 1);

    self->track = track;
    self->gaps = manifest->gaps;
    self->counts = find_counts(manifest, track->id);
    self->spans = g_array_new(FALSE, FALSE, sizeof(TimelineSpan));
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *segment = manifest->segments->pdata[i];

        if (strcmp(segment->track, track->id) != 0)
            continue;
        self->n_segments++;
        self->n_parts = MAX(self->n_parts, segment->part + 1);
        self->n_bytes += segment->length;
        self->n_cuts_without_keyframe += (segment->flags & SEGMENT_FLAG_NO_KEYFRAME) != 0;
        add_span(self, segment->start_us, segment->duration_us, NULL);
    }
    for (guint i = 0; i < manifest->gaps->len; i++) {
        const ManifestGap *gap = manifest->gaps->pdata[i];

        if (strcmp(gap->track, track->id) == 0)
            add_span(self, gap->start_us, gap->duration_us, gap->reason);
    }
    return self;
}

static void
read_manifest(SessionFacts *self)
{
    for (guint i = 0; i < self->manifest->tracks->len; i++) {
        const ManifestTrack *track = self->manifest->tracks->pdata[i];
        TrackFacts *facts = track_facts_new(self->manifest, track);

        if (self->created == NULL && track->anchor_unix_us > 0)
            self->created = time_text_format_unix(track->anchor_unix_us);
        self->duration_us = MAX(self->duration_us, facts->duration_us);
        self->n_bytes += facts->n_bytes;
        g_ptr_array_add(self->tracks, facts);
    }
}

static const char *
text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool
has_lost_segments(const ManifestPart *manifest)
{
    for (guint i = 0; i < manifest->gaps->len; i++) {
        const ManifestGap *gap = manifest->gaps->pdata[i];

        if (catalogue_gap_is_loss(gap->reason)) {
            return true;
        }
    }
    return false;
}

/* Returns: why the recorder ended the session by itself, owned; NULL: somebody stopped it. */
static char *
read_end_reason(const ManifestPart *manifest)
{
    const guint n_lines = manifest->policies->len;
    g_auto(GStrv) words = NULL;

    if (n_lines == 0)
        return NULL;
    words = g_strsplit(manifest->policies->pdata[n_lines - 1], " ", -1);
    for (char **word = words; *word != NULL; word++) {
        if (g_str_has_prefix(*word, "ended="))
            return g_strdup(*word + strlen("ended="));
    }
    return NULL;
}

/* What the signed manifest says is final; as long as it is open, the recorder knows better. */
static void
read_state(SessionFacts *self, const json_t *live)
{
    const char *said = text_of(live, "state");

    if (self->manifest != NULL && self->manifest->state == SESSION_CLOSED) {
        bool is_whole = !has_lost_segments(self->manifest);

        self->state = g_strdup(is_whole ? "stored" : "incomplete");
        self->reason = is_whole ? read_end_reason(self->manifest) : g_strdup("segments-lost");
    } else if (self->manifest != NULL && self->manifest->state == SESSION_INTERRUPTED) {
        self->state = g_strdup("incomplete");
        self->reason = g_strdup("interrupted");
    } else {
        self->state = g_strdup(said != NULL ? said : "open");
        self->reason = g_strdup(text_of(live, "reason"));
    }
    if (self->created == NULL)
        self->created = g_strdup(text_of(live, "created"));
}

SessionFacts *
session_facts_new(const char *org, const char *session, const ManifestPart *manifest,
                  const json_t *live)
{
    SessionFacts *self = g_new0(SessionFacts, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->manifest = manifest;
    self->tracks = g_ptr_array_new_with_free_func(track_facts_free);
    if (manifest != NULL)
        read_manifest(self);
    read_state(self, live);
    return self;
}

void
session_facts_mark_erased(SessionFacts *self, const ErasureTrace *trace)
{
    if (trace == NULL || trace->stage == ERASURE_STAGE_BEGUN)
        return;
    g_free(self->state);
    g_free(self->reason);
    self->state = g_strdup("erased");
    self->reason = g_strdup(trace->stage == ERASURE_STAGE_LOCKED ? "bytes-locked" : NULL);
    if (self->created == NULL && trace->from_us > 0) {
        self->created = time_text_format_unix(trace->from_us);
        self->duration_us = trace->until_us - trace->from_us;
    }
}

json_t *
session_facts_to_row(const SessionFacts *self)
{
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:I, s:i, s:I}", "org", self->org, "session",
                     self->session, "state", self->state, "reason", self->reason, "created",
                     self->created, "duration_us", (json_int_t) self->duration_us, "tracks",
                     (int) self->tracks->len, "bytes", (json_int_t) self->n_bytes);
}

static json_t *
gaps_to_json(const TrackFacts *facts)
{
    json_t *list = json_array();

    for (guint i = 0; i < facts->gaps->len; i++) {
        const ManifestGap *gap = facts->gaps->pdata[i];

        if (strcmp(gap->track, facts->track->id) == 0) {
            json_array_append_new(list,
                                  json_pack("{s:I, s:I, s:s}", "start_us",
                                            (json_int_t) gap->start_us, "duration_us",
                                            (json_int_t) gap->duration_us, "reason", gap->reason));
        }
    }
    return list;
}

static json_t *
track_to_json(const TrackFacts *facts)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I}", "id",
                     facts->track->id, "kind", facts->track->kind, "codec", facts->track->codec,
                     "participant", facts->track->participant, "segments",
                     (json_int_t) facts->n_segments, "parts", (json_int_t) facts->n_parts, "bytes",
                     (json_int_t) facts->n_bytes, "duration_us", (json_int_t) facts->duration_us,
                     "gaps", gaps_to_json(facts), "gaps_by_reason",
                     completeness_gaps_to_json(facts), "counts", completeness_counts_to_json(facts),
                     "cuts_without_keyframe", (json_int_t) facts->n_cuts_without_keyframe);
}

json_t *
session_facts_to_json(const SessionFacts *self)
{
    json_t *policies = json_array();
    json_t *tracks = json_array();

    for (guint i = 0; self->manifest != NULL && i < self->manifest->policies->len; i++)
        json_array_append_new(policies, json_string(self->manifest->policies->pdata[i]));
    for (guint i = 0; i < self->tracks->len; i++)
        json_array_append_new(tracks, track_to_json(self->tracks->pdata[i]));
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:I, s:I, s:o, s:o}", "org", self->org, "session",
                     self->session, "state", self->state, "reason", self->reason, "created",
                     self->created, "duration_us", (json_int_t) self->duration_us, "bytes",
                     (json_int_t) self->n_bytes, "policies", policies, "tracks", tracks);
}

void
session_facts_free(SessionFacts *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    g_free(self->state);
    g_free(self->reason);
    g_free(self->created);
    g_ptr_array_unref(self->tracks);
    g_free(self);
}
