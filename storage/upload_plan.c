#include "storage/upload_plan.h"

#include "storage/object_key.h"

#include <string.h>

static void
free_object(void *data)
{
    UploadObject *object = data;

    g_free(object->relative);
    g_free(object->key);
    g_ptr_array_unref(object->segments);
    g_free(object);
}

static UploadObject *
begin_object(OutboxSession *session, const SpoolSegment *first)
{
    UploadObject *object = g_new0(UploadObject, 1);

    object->session = session;
    object->relative = object_key_tape(first->track, first->part, first->object_first);
    object->key = object_key_join(session->org, session->id, object->relative);
    object->segments = g_ptr_array_new();
    object->is_stored = true; /* until a segment says no */
    return object;
}

static bool
belongs_to(const UploadObject *object, const SpoolSegment *segment)
{
    const SpoolItem *first = g_ptr_array_index(object->segments, 0);

    return first->record.segment.part == segment->part &&
           first->record.segment.object_first == segment->object_first;
}

static void
add_segment(UploadObject *object, SpoolItem *item)
{
    const SpoolSegment *segment = &item->record.segment;

    g_ptr_array_add(object->segments, item);
    object->n_bytes += segment->n_bytes;
    object->is_stored = object->is_stored && item->is_stored;
    object->is_complete = (segment->flags & SEGMENT_FLAG_LAST) != 0;
}

GPtrArray *
upload_plan_objects(OutboxSession *session)
{
    GPtrArray *objects = g_ptr_array_new_with_free_func(free_object);
    g_autoptr(GHashTable) newest = g_hash_table_new(g_str_hash, g_str_equal); /* of each track */

    for (guint i = 0; i < session->items->len; i++) {
        SpoolItem *item = g_ptr_array_index(session->items, i);
        const SpoolSegment *segment = &item->record.segment;
        UploadObject *object = NULL;

        if (item->record.type != SPOOL_RECORD_SEGMENT)
            continue;
        object = g_hash_table_lookup(newest, segment->track);
        if (object == NULL || !belongs_to(object, segment)) {
            if (object != NULL)
                object->is_complete = true;
            object = begin_object(session, segment);
            g_ptr_array_add(objects, object);
            g_hash_table_insert(newest, (char *) segment->track, object);
        }
        add_segment(object, item);
    }
    for (guint i = 0; session->state != SESSION_OPEN && i < objects->len; i++)
        ((UploadObject *) g_ptr_array_index(objects, i))->is_complete = true;
    return objects;
}

int64_t
upload_plan_oldest_us(const OutboxSession *session)
{
    int64_t oldest_us = INT64_MAX;
    int64_t newest_us = 0;

    if (session->items->len == 0 && session->part == NULL)
        return 0;
    for (guint i = 0; i < session->items->len; i++) {
        const SpoolItem *item = g_ptr_array_index(session->items, i);
        const SpoolSegment *segment = &item->record.segment;

        if (item->record.type == SPOOL_RECORD_SEGMENT)
            oldest_us = MIN(oldest_us, segment->start_us + segment->duration_us);
    }
    for (guint i = 0; i < session->tracks->len; i++) {
        const SpoolTrack *track = g_ptr_array_index(session->tracks, i);

        newest_us = MAX(newest_us, track->covered_us);
    }
    return session->created_unix_us + (oldest_us != INT64_MAX ? oldest_us : newest_us);
}

static void
add_mark(ManifestPart *part, const char *words)
{
    g_auto(GStrv) both = g_strsplit(words, " ", 2);
    ManifestMark *row = g_new0(ManifestMark, 1);

    row->mark = g_strdup(both[0]);
    row->reason = g_strdup(both[1]);
    g_ptr_array_add(part->marks, row);
}

static void
add_policies(ManifestPart *part, const char *policy_lines)
{
    g_auto(GStrv) lines = g_strsplit(policy_lines, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        if (g_str_has_prefix(*line, "policy "))
            g_ptr_array_add(part->policies, g_strdup(*line + strlen("policy ")));
        if (g_str_has_prefix(*line, "mark "))
            add_mark(part, *line + strlen("mark "));
    }
}

static void
add_track(ManifestPart *part, const OutboxSession *session, const LedgerTrack *track)
{
    ManifestTrack *row = g_new0(ManifestTrack, 1);

    row->id = g_strdup(track->id);
    row->kind = g_strdup(track->kind);
    row->codec = g_strdup(track->codec);
    row->participant = g_strdup(track->participant);
    row->recipient = g_strdup(track->recipient);
    row->anchor_unix_us = session->created_unix_us;
    row->from_us = track->from_us;
    g_ptr_array_add(part->tracks, row);
}

static void
add_clock(ManifestPart *part, const LedgerClock *clock)
{
    ManifestClock *row = g_new0(ManifestClock, 1);

    row->track = g_strdup(clock->track);
    row->part = clock->part;
    row->start_us = clock->start_us;
    row->rtp_timestamp = clock->rtp_timestamp;
    g_ptr_array_add(part->clocks, row);
}

static void
add_gap(ManifestPart *part, const LedgerGap *gap)
{
    ManifestGap *row = g_new0(ManifestGap, 1);

    row->track = g_strdup(gap->track);
    row->start_us = gap->start_us;
    row->duration_us = gap->duration_us;
    row->reason = g_strdup(gap->reason);
    g_ptr_array_add(part->gaps, row);
}

static void
add_small_item(ManifestPart *part, const OutboxSession *session, const SpoolItem *item)
{
    const SpoolRecord *record = &item->record;

    if (record->type == SPOOL_RECORD_POLICY) {
        add_policies(part, record->policy_lines);
    } else if (record->type == SPOOL_RECORD_TRACK) {
        add_track(part, session, &record->track);
    } else if (record->type == SPOOL_RECORD_CLOCK) {
        add_clock(part, &record->clock);
    } else if (record->type == SPOOL_RECORD_GAP) {
        add_gap(part, &record->gap);
    }
}

static void
add_object(ManifestPart *part, const UploadObject *object, GByteArray *listed)
{
    uint64_t offset = 0;

    for (guint i = 0; i < object->segments->len; i++) {
        const SpoolItem *item = g_ptr_array_index(object->segments, i);
        const SpoolSegment *segment = &item->record.segment;
        ManifestSegment *row = g_new0(ManifestSegment, 1);

        row->track = g_strdup(segment->track);
        row->part = segment->part;
        row->index = segment->index;
        row->start_us = segment->start_us;
        row->duration_us = segment->duration_us;
        row->flags = segment->flags;
        row->object = g_strdup(object->relative);
        row->offset = offset;
        row->length = segment->n_bytes;
        row->digest = segment->digest;
        offset += segment->n_bytes;
        g_ptr_array_add(part->segments, row);
        spool_body_put_number(listed, item->record.number);
    }
}

static uint32_t
count_segments(const ManifestPart *part, const char *track)
{
    uint32_t n = 0;

    for (guint i = 0; i < part->segments->len; i++) {
        n += strcmp(((const ManifestSegment *) g_ptr_array_index(part->segments, i))->track,
                    track) == 0;
    }
    return n;
}

static void
add_ends(ManifestPart *part, const OutboxSession *session)
{
    for (guint i = 0; i < session->tracks->len; i++) {
        const SpoolTrack *track = g_ptr_array_index(session->tracks, i);
        ManifestEnd *row = g_new0(ManifestEnd, 1);
        const int64_t until_us = track->until_us != 0 ? track->until_us : track->covered_us;

        row->track = g_strdup(track->id);
        row->n_segments = track->n_listed + count_segments(part, track->id);
        row->duration_us = MAX(until_us - track->from_us, 0);
        g_ptr_array_add(part->ends, row);
    }
}

/* Of an interrupted session nobody knows what did not come. */
static void
add_counts(ManifestPart *part, const OutboxSession *session)
{
    for (guint i = 0; i < session->tracks->len; i++) {
        const SpoolTrack *track = g_ptr_array_index(session->tracks, i);
        ManifestCount *row = NULL;

        if (track->counts.n_known == 0)
            continue;
        row = g_new0(ManifestCount, 1);
        row->track = g_strdup(track->id);
        row->counts = track->counts;
        g_ptr_array_add(part->counts, row);
    }
}

/* Lists each track's objects up to the first that is not stored, so that seg lines stay in order.
 * Returns: true if that was all. */
static bool
add_objects(ManifestPart *part, const GPtrArray *objects, GByteArray *listed)
{
    g_autoptr(GHashTable) stuck = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < objects->len; i++) {
        const UploadObject *object = g_ptr_array_index(objects, i);
        const SpoolItem *first = g_ptr_array_index(object->segments, 0);
        const char *track = first->record.segment.track;

        if (!object->is_complete || !object->is_stored)
            g_hash_table_add(stuck, (char *) track);
        if (!g_hash_table_contains(stuck, track))
            add_object(part, object, listed);
    }
    return g_hash_table_size(stuck) == 0;
}

/* Gaps and clocks alone can wait for the next segment: a lossy line must not make a part a second.
 */
static bool
is_worth_a_part(const ManifestPart *part)
{
    return part->number == 1 || part->state != SESSION_OPEN || part->segments->len > 0 ||
           part->tracks->len > 0 || part->policies->len > 0;
}

ManifestPart *
upload_plan_part(const OutboxSession *session, const GPtrArray *objects, GByteArray *listed)
{
    g_autoptr(ManifestPart) part =
        manifest_part_new(session->org, session->id, session->n_parts + 1);
    bool is_all = false;

    part->has_previous = session->n_parts > 0;
    part->previous = session->previous;
    is_all = add_objects(part, objects, listed);
    for (guint i = 0; i < session->items->len; i++) {
        const SpoolItem *item = g_ptr_array_index(session->items, i);

        if (item->record.type == SPOOL_RECORD_SEGMENT || item->record.type == SPOOL_RECORD_OBJECT)
            continue;
        add_small_item(part, session, item);
        spool_body_put_number(listed, item->record.number);
    }
    part->state = is_all ? session->state : SESSION_OPEN;
    if (part->state != SESSION_OPEN)
        add_ends(part, session);
    if (part->state == SESSION_CLOSED)
        add_counts(part, session);
    return is_worth_a_part(part) ? g_steal_pointer(&part) : NULL;
}
