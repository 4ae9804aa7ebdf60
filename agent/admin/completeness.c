#include "agent/admin/completeness.h"

#include <inttypes.h>
#include <string.h>

json_t *
completeness_counts_to_json(const TrackFacts *track)
{
    json_t *form = NULL;

    if (track->counts == NULL)
        return json_null();
    form = json_pack("{s:I}", "expected", (json_int_t) track_counts_expected(track->counts));
    for (TrackCount i = 0; i < track->counts->n_known; i++) {
        json_object_set_new(form, track_counts_name(i),
                            json_integer((json_int_t) track->counts->of[i]));
    }
    return form;
}

static void
add_gap(json_t *reasons, const ManifestGap *gap)
{
    const json_t *before = json_object_get(reasons, gap->reason);
    const json_int_t n_gaps = json_integer_value(json_object_get(before, "count"));
    const json_int_t duration_us = json_integer_value(json_object_get(before, "duration_us"));

    json_object_set_new(reasons, gap->reason,
                        json_pack("{s:I, s:I}", "count", n_gaps + 1, "duration_us",
                                  duration_us + (json_int_t) gap->duration_us));
}

json_t *
completeness_gaps_to_json(const TrackFacts *track)
{
    json_t *reasons = json_object();

    for (guint i = 0; i < track->gaps->len; i++) {
        const ManifestGap *gap = g_ptr_array_index(track->gaps, i);

        if (strcmp(gap->track, track->track->id) == 0)
            add_gap(reasons, gap);
    }
    return reasons;
}

/* Counts that are nearly always zero are shown only if they are not. */
static bool
is_shown(const TrackCounts *counts, TrackCount count)
{
    return count <= TRACK_COUNT_LATE ||
           (count != TRACK_COUNT_LATE_KEYFRAMES && counts->of[count] > 0);
}

static void
print_packets(const TrackCounts *counts)
{
    const uint64_t expected = track_counts_expected(counts);

    g_print("  packets: expected %" PRIu64, expected);
    for (TrackCount i = 0; i < N_TRACK_COUNTS; i++) {
        if (!is_shown(counts, i))
            continue;
        g_print(", %s %" PRIu64, track_counts_name(i), counts->of[i]);
        if (i == TRACK_COUNT_LOST && expected > 0)
            g_print(" (%.1f %%)", 100.0 * (double) counts->of[i] / (double) expected);
    }
    g_print("\n");
}

static void
print_gaps(const TrackFacts *track)
{
    json_t *reasons = completeness_gaps_to_json(track);
    const char *separator = "  gaps:    ";
    const char *reason = NULL;
    json_t *sum = NULL;

    json_object_foreach(reasons, reason, sum)
    {
        const json_int_t n_gaps = json_integer_value(json_object_get(sum, "count"));
        const json_int_t duration_us = json_integer_value(json_object_get(sum, "duration_us"));

        g_print("%s%s %.3f s in %" JSON_INTEGER_FORMAT " gap%s", separator, reason,
                (double) duration_us / G_USEC_PER_SEC, n_gaps, n_gaps == 1 ? "" : "s");
        separator = ", ";
    }
    g_print("%s\n", json_object_size(reasons) > 0 ? "" : "  gaps:    none");
    json_decref(reasons);
}

static const char *
why_not_counted(SessionEnd state)
{
    switch (state) {
    case SESSION_OPEN:
        return "counted when the session has ended";
    case SESSION_INTERRUPTED:
        return "not counted, because the recorder died";
    case SESSION_CLOSED:
    case SESSION_AMENDED:
    default:
        return "not counted";
    }
}

void
completeness_print(const SessionFacts *facts)
{
    g_print("\nCompleteness:\n");
    for (guint i = 0; i < facts->tracks->len; i++) {
        const TrackFacts *track = g_ptr_array_index(facts->tracks, i);

        if (!manifest_track_is_media(track->track))
            continue;
        g_print("%s\n", track->track->id);
        if (track->counts != NULL) {
            print_packets(track->counts);
        } else {
            g_print("  packets: %s\n", why_not_counted(facts->manifest->state));
        }
        print_gaps(track);
        if (track->counts != NULL && track->counts->of[TRACK_COUNT_LATE_KEYFRAMES] > 0) {
            g_print("  cuts that waited for a late keyframe: %" PRIu64 "\n",
                    track->counts->of[TRACK_COUNT_LATE_KEYFRAMES]);
        }
        if (track->n_cuts_without_keyframe > 0)
            g_print("  cuts without a keyframe: %u\n", track->n_cuts_without_keyframe);
    }
}
