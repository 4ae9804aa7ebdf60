#include "storage/spool_index.h"

#include <string.h>

SpoolItem *
spool_item_new(GBytes *bytes)
{
    gsize n_bytes = 0;
    const uint8_t *start = g_bytes_get_data(bytes, &n_bytes);
    SpoolItem *self = g_atomic_rc_box_new0(SpoolItem);
    SpoolFrame frame;

    self->bytes = bytes;
    if (n_bytes < SPOOL_FRAME_BYTES || !spool_record_read_frame(start, &frame) ||
        n_bytes != SPOOL_FRAME_BYTES + (size_t) frame.n_body_bytes ||
        !spool_record_decode(&self->record, start, &frame)) {
        spool_item_unref(self);
        return NULL;
    }
    return self;
}

SpoolItem *
spool_item_ref(SpoolItem *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
clear_item(void *data)
{
    SpoolItem *self = data;

    g_bytes_unref(self->bytes);
    g_clear_pointer(&self->file, spool_file_unref);
    g_clear_pointer(&self->sealed, g_bytes_unref);
}

void
spool_item_unref(SpoolItem *self)
{
    g_atomic_rc_box_release_full(self, clear_item);
}

int64_t
spool_item_end_us(const SpoolItem *self)
{
    const SpoolRecord *record = &self->record;

    if (record->type == SPOOL_RECORD_SEGMENT)
        return record->segment.start_us + record->segment.duration_us;
    g_assert(record->type == SPOOL_RECORD_GAP);
    return record->gap.start_us + record->gap.duration_us;
}

/* Its session needs it no more. Others may still hold the item, but its file may go. */
static void
retire_item(void *data)
{
    SpoolItem *item = data;

    if (item->file != NULL)
        item->file->n_live--;
    spool_item_unref(item);
}

static void
free_track(void *data)
{
    SpoolTrack *track = data;

    g_free(track->id);
    g_free(track);
}

static void
free_session(void *data)
{
    SpoolSession *self = data;

    g_ptr_array_unref(self->tracks);
    g_ptr_array_unref(self->items);
    g_clear_pointer(&self->part, spool_item_unref);
    g_free(self->org);
    g_free(self->id);
    g_free(self);
}

SpoolIndex *
spool_index_new(void)
{
    SpoolIndex *self = g_new0(SpoolIndex, 1);

    self->sessions = g_ptr_array_new_with_free_func(free_session);
    self->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    return self;
}

void
spool_index_free(SpoolIndex *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->by_id);
    g_ptr_array_unref(self->sessions);
    g_free(self);
}

SpoolSession *
spool_index_find(const SpoolIndex *self, const char *session)
{
    return g_hash_table_lookup(self->by_id, session);
}

SpoolTrack *
spool_session_find_track(const SpoolSession *self, const char *track)
{
    for (guint i = 0; i < self->tracks->len; i++) {
        SpoolTrack *candidate = g_ptr_array_index(self->tracks, i);

        if (strcmp(candidate->id, track) == 0)
            return candidate;
    }
    return NULL;
}

static SpoolTrack *
make_track(SpoolSession *session, const char *id)
{
    SpoolTrack *track = spool_session_find_track(session, id);

    if (track != NULL)
        return track;
    track = g_new0(SpoolTrack, 1);
    track->id = g_strdup(id);
    g_ptr_array_add(session->tracks, track);
    return track;
}

/* Returns: where `number` stands in the session's items, or where it would. */
static guint
position_of(const SpoolSession *session, uint64_t number)
{
    guint low = 0;
    guint high = session->items->len;

    while (low < high) {
        const guint middle = low + (high - low) / 2;
        const SpoolItem *item = g_ptr_array_index(session->items, middle);

        if (item->record.number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static SpoolItem *
find_item(const SpoolSession *session, uint64_t number)
{
    const guint at = position_of(session, number);
    SpoolItem *item = at < session->items->len ? g_ptr_array_index(session->items, at) : NULL;

    return item != NULL && item->record.number == number ? item : NULL;
}

void
spool_index_forget(SpoolIndex *self, const char *session, uint64_t number)
{
    SpoolSession *found = spool_index_find(self, session);

    if (found != NULL && find_item(found, number) != NULL)
        g_ptr_array_remove_index(found->items, position_of(found, number));
}

static void
apply_session(SpoolIndex *self, const SpoolRecord *record)
{
    SpoolSession *session = spool_index_find(self, record->session);

    if (session == NULL) {
        session = g_new0(SpoolSession, 1);
        session->id = g_strdup(record->session);
        session->org = g_strdup(record->state.org);
        session->tracks = g_ptr_array_new_with_free_func(free_track);
        session->items = g_ptr_array_new_with_free_func(retire_item);
        g_ptr_array_add(self->sessions, session);
        g_hash_table_insert(self->by_id, session->id, session);
        session->begin_number = record->number;
    }
    session->created_unix_us = record->state.created_unix_us;
    session->state = record->state.state;
    session->n_parts = record->state.n_parts;
    session->previous = record->state.previous;
}

/* Updates the sums of the item's track. Returns: false if the track is not there. */
static bool
count_item(SpoolSession *session, const SpoolItem *item)
{
    const SpoolRecord *record = &item->record;
    const bool is_segment = record->type == SPOOL_RECORD_SEGMENT;
    SpoolTrack *track = NULL;

    if (record->type == SPOOL_RECORD_POLICY || record->type == SPOOL_RECORD_OBJECT)
        return true;
    if (record->type == SPOOL_RECORD_TRACK) {
        track = make_track(session, record->track.id);
        track->from_us = record->track.from_us;
        track->covered_us = MAX(track->covered_us, track->from_us);
        return true;
    }
    if (record->type == SPOOL_RECORD_CLOCK)
        return spool_session_find_track(session, record->clock.track) != NULL;
    track =
        spool_session_find_track(session, is_segment ? record->segment.track : record->gap.track);
    if (track == NULL)
        return false;
    track->covered_us = MAX(track->covered_us, spool_item_end_us(item));
    return true;
}

static bool
apply_item(SpoolSession *session, SpoolItem *item)
{
    if (find_item(session, item->record.number) != NULL)
        return true;
    if (!count_item(session, item))
        return false;
    g_ptr_array_insert(session->items, (gint) position_of(session, item->record.number),
                       spool_item_ref(item));
    if (item->file != NULL)
        item->file->n_live++;
    return true;
}

/* A newer one under the same name takes the older one's place. */
static bool
apply_object(SpoolSession *session, SpoolItem *item)
{
    for (guint i = session->items->len; i > 0; i--) {
        const SpoolRecord *other =
            &((const SpoolItem *) g_ptr_array_index(session->items, i - 1))->record;

        if (other->type != SPOOL_RECORD_OBJECT || other->number == item->record.number ||
            strcmp(other->object.name, item->record.object.name) != 0)
            continue;
        if (other->number > item->record.number)
            return true;
        g_ptr_array_remove_index(session->items, i - 1);
    }
    return apply_item(session, item);
}

static bool
apply_track_end(SpoolSession *session, const LedgerTrackEnd *end)
{
    SpoolTrack *track = spool_session_find_track(session, end->track);

    if (track == NULL)
        return false;
    track->until_us = end->until_us;
    track->counts = end->counts;
    return true;
}

static void
apply_track_state(SpoolSession *session, const SpoolTrackState *state)
{
    SpoolTrack *track = make_track(session, state->track);

    track->from_us = state->from_us;
    track->until_us = state->until_us;
    track->covered_us = state->covered_us;
    track->listed_us = state->listed_us;
    track->n_listed = state->n_listed;
    track->counts = state->counts;
}

static void
list_item(SpoolSession *session, SpoolItem *item, uint32_t number)
{
    const SpoolRecord *record = &item->record;
    const bool is_segment = record->type == SPOOL_RECORD_SEGMENT;
    const bool is_new = item->listed_in == 0;
    SpoolTrack *track = NULL;

    item->listed_in = number;
    if (!is_segment && record->type != SPOOL_RECORD_GAP)
        return;
    track =
        spool_session_find_track(session, is_segment ? record->segment.track : record->gap.track);
    g_assert(track != NULL); /* it was there when the item came, and tracks stay */
    track->listed_us = MAX(track->listed_us, spool_item_end_us(item));
    if (is_segment && is_new)
        track->n_listed++;
}

static bool
apply_part(SpoolSession *session, SpoolItem *item)
{
    const SpoolPart *part = &item->record.part;

    for (size_t i = 0; i < part->items.n_numbers; i++) {
        SpoolItem *listed = find_item(session, spool_list_get(&part->items, i));

        if (listed != NULL)
            list_item(session, listed, part->number);
    }
    session->n_parts = part->number;
    session->previous = digest_of(part->note, strlen(part->note));
    g_clear_pointer(&session->part, spool_item_unref);
    session->part = spool_item_ref(item);
    return true;
}

static bool
apply_release(SpoolIndex *self, SpoolSession *session, uint32_t number)
{
    if (session->part == NULL || session->part->record.part.number != number)
        return false;
    if (session->part->record.part.state != SESSION_OPEN) {
        g_hash_table_remove(self->by_id, session->id);
        g_ptr_array_remove(self->sessions, session);
        return true;
    }
    for (guint i = session->items->len; i > 0; i--) {
        const SpoolItem *item = g_ptr_array_index(session->items, i - 1);

        if (item->listed_in == number)
            g_ptr_array_remove_index(session->items, i - 1);
    }
    g_clear_pointer(&session->part, spool_item_unref);
    return true;
}

static bool
apply_to_session(SpoolIndex *self, SpoolSession *session, SpoolItem *item)
{
    const SpoolRecord *record = &item->record;

    switch (record->type) {
    case SPOOL_RECORD_POLICY:
    case SPOOL_RECORD_TRACK:
    case SPOOL_RECORD_CLOCK:
    case SPOOL_RECORD_SEGMENT:
    case SPOOL_RECORD_GAP:
        return apply_item(session, item);
    case SPOOL_RECORD_OBJECT:
        return apply_object(session, item);
    case SPOOL_RECORD_TRACK_END:
        return apply_track_end(session, &record->track_end);
    case SPOOL_RECORD_CLOSE:
        session->state = record->close;
        session->close_number = record->number;
        return true;
    case SPOOL_RECORD_PART:
        return apply_part(session, item);
    case SPOOL_RECORD_RELEASE:
        return apply_release(self, session, record->released_part);
    case SPOOL_RECORD_DROP:
        spool_index_forget(self, session->id, record->dropped);
        return true;
    case SPOOL_RECORD_TRACK_STATE:
        apply_track_state(session, &record->track_state);
        return true;
    case SPOOL_RECORD_BEGIN:
    case SPOOL_RECORD_END:
    case SPOOL_RECORD_SESSION:
    case SPOOL_RECORD_SEGMENT_REF:
    case SPOOL_N_RECORD_TYPES:
    default:
        return false;
    }
}

bool
spool_index_apply(SpoolIndex *self, SpoolItem *item)
{
    SpoolSession *session = NULL;

    if (item->record.type == SPOOL_RECORD_BEGIN || item->record.type == SPOOL_RECORD_END)
        return true;
    if (item->record.type == SPOOL_RECORD_SESSION) {
        apply_session(self, &item->record);
        return true;
    }
    session = spool_index_find(self, item->record.session);
    return session != NULL && apply_to_session(self, session, item);
}
