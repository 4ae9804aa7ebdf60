#include "storage/recording_check.h"

#include "storage/recording_private.h"

#include <inttypes.h>
#include <string.h>

/* Holes and jumps up to a millisecond are rounding between the clocks of RTP and of the timeline.
 */
enum { TOLERANCE_US = 1000 };

typedef struct {
    int64_t start_us, end_us;
    bool is_loss; /* a gap that stands for segments that were lost after they were made */
} Stretch;

static int
compare_stretches(gconstpointer a, gconstpointer b)
{
    const Stretch *first = a;
    const Stretch *second = b;

    return (first->start_us > second->start_us) - (first->start_us < second->start_us);
}

/* Returns: the track's gaps, and its segments too if `has_segments`, by their start. */
static GArray *
stretches_of(const ManifestPart *manifest, const char *track, bool has_segments)
{
    GArray *stretches = g_array_new(false, false, sizeof(Stretch));

    for (guint i = 0; has_segments && i < manifest->segments->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(manifest->segments, i);
        const Stretch stretch = {row->start_us, row->start_us + row->duration_us, false};

        if (strcmp(row->track, track) == 0)
            g_array_append_val(stretches, stretch);
    }
    for (guint i = 0; i < manifest->gaps->len; i++) {
        const ManifestGap *row = g_ptr_array_index(manifest->gaps, i);
        const Stretch stretch = {row->start_us, row->start_us + row->duration_us,
                                 strcmp(row->reason, "corrupt") == 0 ||
                                     strcmp(row->reason, "interrupted") == 0};

        if (strcmp(row->track, track) == 0)
            g_array_append_val(stretches, stretch);
    }
    g_array_sort(stretches, compare_stretches);
    return stretches;
}

static bool
is_known(const ManifestPart *manifest, const char *track)
{
    for (guint i = 0; i < manifest->tracks->len; i++) {
        if (strcmp(((const ManifestTrack *) g_ptr_array_index(manifest->tracks, i))->id, track) ==
            0)
            return true;
    }
    return false;
}

static void
check_names(const ManifestPart *manifest, GPtrArray *findings)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *row = g_ptr_array_index(manifest->tracks, i);

        if (!g_hash_table_add(seen, row->id)) {
            recording_add_finding(findings, "track-repeated",
                                  "track %s stands in the manifest twice", row->id);
        }
    }
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(manifest->segments, i);

        if (g_hash_table_add(seen, row->track) && !is_known(manifest, row->track)) {
            recording_add_finding(findings, "track-unknown",
                                  "the manifest lists segments of track %s but not the track",
                                  row->track);
        }
    }
}

/* True if gaps say that what is missing between two moments was lost after it was recorded. */
static bool
is_explained(const ManifestPart *manifest, const char *track, int64_t start_us, int64_t end_us)
{
    g_autoptr(GArray) gaps = stretches_of(manifest, track, false);
    bool is_said = false;

    for (guint i = 0; i < gaps->len; i++) {
        const Stretch *gap = &g_array_index(gaps, Stretch, i);

        if (gap->start_us > start_us + TOLERANCE_US || gap->end_us + TOLERANCE_US < start_us)
            continue;
        /* What was lost may lie beside a stretch without media, or between two. */
        is_said = is_said || gap->is_loss;
        start_us = MAX(start_us, gap->end_us);
    }
    return is_said && start_us + TOLERANCE_US >= end_us;
}

/* `last`: the track's segment before `next`; NULL if `next` is the first.
 * `last_end_us`: its end, or where the track begins. */
static void
check_successor(const ManifestPart *manifest, const ManifestSegment *last, int64_t last_end_us,
                const ManifestSegment *next, GPtrArray *findings)
{
    const bool is_same_part = last != NULL && last->part == next->part;
    const uint32_t expected = is_same_part ? last->index + 1 : 0;

    if (last != NULL && next->start_us < last->start_us) {
        recording_add_finding(findings, "segment-order",
                              "segment %u of track %s part %u begins before the one before it",
                              next->index, next->track, next->part);
    }
    if (last != NULL && next->part < last->part) {
        recording_add_finding(findings, "segment-order",
                              "segment %u of track %s part %u stands behind part %u", next->index,
                              next->track, next->part, last->part);
    } else if (next->index < expected) {
        recording_add_finding(findings, "segment-order",
                              "segment %u of track %s part %u stands where segment %u should",
                              next->index, next->track, next->part, expected);
    } else if (next->index > expected &&
               !is_explained(manifest, next->track, last_end_us, next->start_us)) {
        recording_add_finding(findings, "segment-missing",
                              "segment %u of track %s part %u is not in the manifest", expected,
                              next->track, next->part);
    }
}

static void
check_order(const ManifestPart *manifest, const ManifestTrack *track, GPtrArray *findings)
{
    const ManifestSegment *last = NULL;
    int64_t last_end_us = track->from_us;

    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(manifest->segments, i);

        if (strcmp(row->track, track->id) != 0)
            continue;
        check_successor(manifest, last, last_end_us, row, findings);
        last = row;
        last_end_us = row->start_us + row->duration_us;
    }
}

static void
check_tiling(const ManifestPart *manifest, const ManifestTrack *track, int64_t until_us,
             GPtrArray *findings)
{
    g_autoptr(GArray) stretches = stretches_of(manifest, track->id, true);
    const Stretch end = {until_us, until_us, false};
    int64_t covered_us = track->from_us;

    g_array_append_val(stretches, end);
    for (guint i = 0; i < stretches->len; i++) {
        const Stretch *next = &g_array_index(stretches, Stretch, i);

        if (next->start_us > covered_us + TOLERANCE_US) {
            recording_add_finding(findings, "timeline-hole",
                                  "track %s has neither a segment nor a gap from %" PRId64
                                  " to %" PRId64 " us",
                                  track->id, covered_us, next->start_us);
        }
        covered_us = MAX(covered_us, next->end_us);
    }
    if (covered_us > until_us + TOLERANCE_US) {
        recording_add_finding(findings, "end-mismatch",
                              "track %s ends at %" PRId64 " us, but goes on to %" PRId64 " us",
                              track->id, until_us, covered_us);
    }
}

static const ManifestEnd *
find_end(const ManifestPart *manifest, const char *track, GPtrArray *findings)
{
    const ManifestEnd *found = NULL;

    for (guint i = 0; i < manifest->ends->len; i++) {
        const ManifestEnd *row = g_ptr_array_index(manifest->ends, i);

        if (strcmp(row->track, track) != 0)
            continue;
        if (found != NULL)
            recording_add_finding(findings, "end-mismatch", "track %s ends twice", track);
        found = row;
    }
    return found;
}

static void
check_end(const ManifestPart *manifest, const ManifestTrack *track, GPtrArray *findings)
{
    const ManifestEnd *end = find_end(manifest, track->id, findings);
    uint32_t n_segments = 0;

    if (end == NULL) {
        recording_add_finding(findings, "end-mismatch",
                              "the manifest does not say how track %s ended", track->id);
        return;
    }
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(manifest->segments, i);

        n_segments += strcmp(row->track, track->id) == 0;
    }
    if (n_segments != end->n_segments) {
        recording_add_finding(findings, "end-mismatch",
                              "track %s ended with %u segments, but the manifest lists %u",
                              track->id, end->n_segments, n_segments);
    }
    check_tiling(manifest, track, track->from_us + end->duration_us, findings);
}

/* Returns: how many `count` lines `track` has before row `n`. */
static guint
counted_before(const ManifestPart *manifest, const char *track, guint n)
{
    guint found = 0;

    for (guint i = 0; i < n; i++) {
        const ManifestCount *row = g_ptr_array_index(manifest->counts, i);

        found += strcmp(row->track, track) == 0;
    }
    return found;
}

static bool
has_end(const ManifestPart *manifest, const char *track)
{
    for (guint i = 0; i < manifest->ends->len; i++) {
        if (strcmp(((const ManifestEnd *) g_ptr_array_index(manifest->ends, i))->track, track) == 0)
            return true;
    }
    return false;
}

/* A count is not demanded: an interrupted session has none. */
static void
check_counts(const ManifestPart *manifest, GPtrArray *findings)
{
    for (guint i = 0; i < manifest->counts->len; i++) {
        const char *track = ((const ManifestCount *) g_ptr_array_index(manifest->counts, i))->track;

        if (!is_known(manifest, track)) {
            recording_add_finding(findings, "count-mismatch",
                                  "packets are counted for track %s, which the manifest does not "
                                  "name",
                                  track);
        } else if (!has_end(manifest, track)) {
            recording_add_finding(findings, "count-mismatch",
                                  "packets are counted for track %s, which has not ended", track);
        }
        if (counted_before(manifest, track, i) == 1) {
            recording_add_finding(findings, "count-mismatch",
                                  "the packets of track %s are counted twice", track);
        }
    }
}

bool
recording_finding_is_fatal(const RecordingFinding *self)
{
    if (g_str_has_prefix(self->code, "reseal-"))
        return strcmp(self->code, "reseal-unfinished") != 0;
    return g_str_has_prefix(self->code, "manifest-") && strcmp(self->code, "manifest-open") != 0;
}

bool
recording_is_amendment(const ManifestPart *part)
{
    if (part->policies->len > 0 || part->marks->len > 0 || part->gaps->len > 0 ||
        part->clocks->len > 0 || part->counts->len > 0)
        return false;
    for (guint i = 0; i < part->tracks->len; i++) {
        if (manifest_track_is_media(g_ptr_array_index(part->tracks, i)))
            return false;
    }
    for (guint i = 0; i < part->segments->len; i++) {
        if (!is_known(part, ((const ManifestSegment *) part->segments->pdata[i])->track))
            return false;
    }
    for (guint i = 0; i < part->ends->len; i++) {
        if (!is_known(part, ((const ManifestEnd *) part->ends->pdata[i])->track))
            return false;
    }
    return part->tracks->len > 0;
}

void
recording_check_manifest(const ManifestPart *manifest, GPtrArray *findings)
{
    const bool is_open = manifest->state == SESSION_OPEN;

    if (manifest->number == 0) {
        recording_add_finding(findings, "manifest-open",
                              "no part of the manifest is genuine and in its place");
    } else if (is_open) {
        recording_add_finding(findings, "manifest-open",
                              "the manifest ends with part %u, and the session is still open: it "
                              "runs, or the last part is missing",
                              manifest->number);
    }
    check_names(manifest, findings);
    check_counts(manifest, findings);
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = g_ptr_array_index(manifest->tracks, i);

        check_order(manifest, track, findings);
        if (!is_open)
            check_end(manifest, track, findings);
    }
}
