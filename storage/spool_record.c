#include "storage/spool_record.h"

#include "crypto/age_context.h"

#include <string.h>

/* Frame: magic 4, type 4, number 8, body length 4, payload length 4, digest 32 (of all before it,
 * then the body). The magic holds the version of the format. */
static const uint8_t magic[4] = {'S', 'p', 'l', '1'};
enum { N_HEAD_BYTES = SPOOL_FRAME_BYTES - 32 };

/* So that the sum of two times never overflows. */
#define MAX_TIME_US (INT64_MAX / 4)

static void
put_segment(GByteArray *body, const SpoolSegment *segment)
{
    spool_body_put_text(body, segment->track);
    spool_body_put_number(body, segment->part);
    spool_body_put_number(body, segment->index);
    spool_body_put_number(body, segment->object_first);
    spool_body_put_number(body, (uint64_t) segment->start_us);
    spool_body_put_number(body, (uint64_t) segment->duration_us);
    spool_body_put_number(body, segment->flags);
    spool_body_put_number(body, segment->n_bytes);
    spool_body_put_digest(body, &segment->digest);
}

static void
put_track(GByteArray *body, const LedgerTrack *track)
{
    spool_body_put_text(body, track->id);
    spool_body_put_text(body, track->kind);
    spool_body_put_text(body, track->codec);
    spool_body_put_text(body, track->participant);
    spool_body_put_text(body, track->recipient);
    spool_body_put_number(body, (uint64_t) track->from_us);
}

static void
put_state(GByteArray *body, const SpoolSessionState *state)
{
    spool_body_put_text(body, state->org);
    spool_body_put_number(body, (uint64_t) state->created_unix_us);
    spool_body_put_number(body, state->state);
    spool_body_put_number(body, state->n_parts);
    spool_body_put_digest(body, &state->previous);
}

/* The last of a record's fields; not there where they are not known. */
static void
put_counts(GByteArray *body, const TrackCounts *counts)
{
    for (size_t i = 0; i < counts->n_known; i++)
        spool_body_put_number(body, counts->of[i]);
}

static void
put_track_state(GByteArray *body, const SpoolTrackState *state)
{
    spool_body_put_text(body, state->track);
    spool_body_put_number(body, (uint64_t) state->from_us);
    spool_body_put_number(body, (uint64_t) state->until_us);
    spool_body_put_number(body, (uint64_t) state->covered_us);
    spool_body_put_number(body, (uint64_t) state->listed_us);
    spool_body_put_number(body, state->n_listed);
    put_counts(body, &state->counts);
}

static void
put_part(GByteArray *body, const SpoolPart *part)
{
    spool_body_put_number(body, part->number);
    spool_body_put_number(body, part->state);
    spool_body_put_text(body, part->note);
    spool_body_put_number(body, part->items.n_numbers);
    g_byte_array_append(body, part->items.bytes, (guint) part->items.n_numbers * 8);
}

static void
put_gap(GByteArray *body, const LedgerGap *gap)
{
    spool_body_put_text(body, gap->track);
    spool_body_put_number(body, (uint64_t) gap->start_us);
    spool_body_put_number(body, (uint64_t) gap->duration_us);
    spool_body_put_text(body, gap->reason);
}

static void
put_object(GByteArray *body, const LedgerObject *object)
{
    spool_body_put_text(body, object->name);
    spool_body_put_number(body, object->replaces);
    spool_body_put_bytes(body, object->bytes, object->n_bytes);
}

static void
put_fields(GByteArray *body, const SpoolRecord *self)
{
    switch (self->type) {
    case SPOOL_RECORD_BEGIN:
    case SPOOL_RECORD_END:
        spool_body_put_number(body, self->file); /* or n_records, which is the same place */
        break;
    case SPOOL_RECORD_SESSION:
        put_state(body, &self->state);
        break;
    case SPOOL_RECORD_POLICY:
        spool_body_put_text(body, self->policy_lines);
        break;
    case SPOOL_RECORD_TRACK:
        put_track(body, &self->track);
        break;
    case SPOOL_RECORD_CLOCK:
        spool_body_put_text(body, self->clock.track);
        spool_body_put_number(body, self->clock.part);
        spool_body_put_number(body, (uint64_t) self->clock.start_us);
        spool_body_put_number(body, self->clock.rtp_timestamp);
        break;
    case SPOOL_RECORD_SEGMENT:
        put_segment(body, &self->segment);
        break;
    case SPOOL_RECORD_SEGMENT_REF:
        put_segment(body, &self->segment);
        spool_body_put_number(body, self->segment.file);
        spool_body_put_number(body, self->segment.offset);
        break;
    case SPOOL_RECORD_GAP:
        put_gap(body, &self->gap);
        break;
    case SPOOL_RECORD_TRACK_END:
        spool_body_put_text(body, self->track_end.track);
        spool_body_put_number(body, (uint64_t) self->track_end.until_us);
        put_counts(body, &self->track_end.counts);
        break;
    case SPOOL_RECORD_CLOSE:
        spool_body_put_number(body, self->close);
        break;
    case SPOOL_RECORD_PART:
        put_part(body, &self->part);
        break;
    case SPOOL_RECORD_RELEASE:
        spool_body_put_number(body, self->released_part);
        break;
    case SPOOL_RECORD_DROP:
        spool_body_put_number(body, self->dropped);
        break;
    case SPOOL_RECORD_TRACK_STATE:
        put_track_state(body, &self->track_state);
        break;
    case SPOOL_RECORD_OBJECT:
        put_object(body, &self->object);
        break;
    case SPOOL_N_RECORD_TYPES:
    default:
        g_assert_not_reached();
    }
}

static void
put_u32(uint8_t *bytes, uint32_t value)
{
    const uint32_t little = GUINT32_TO_LE(value);

    memcpy(bytes, &little, sizeof little);
}

static uint32_t
get_u32(const uint8_t *bytes)
{
    uint32_t little = 0;

    memcpy(&little, bytes, sizeof little);
    return GUINT32_FROM_LE(little);
}

static Digest
digest_around_itself(const uint8_t *bytes, size_t n_body_bytes)
{
    uint8_t parts[N_HEAD_BYTES + 32];
    const Digest body = digest_of(bytes + SPOOL_FRAME_BYTES, n_body_bytes);

    memcpy(parts, bytes, N_HEAD_BYTES);
    memcpy(parts + N_HEAD_BYTES, body.bytes, sizeof body.bytes);
    return digest_of(parts, sizeof parts);
}

GBytes *
spool_record_encode(const SpoolRecord *self)
{
    GByteArray *record = g_byte_array_sized_new(256);
    const uint64_t number = GUINT64_TO_LE(self->number);
    const bool has_payload = self->type == SPOOL_RECORD_SEGMENT;
    Digest digest;

    g_byte_array_set_size(record, SPOOL_FRAME_BYTES);
    spool_body_put_text(record, self->session);
    put_fields(record, self);
    g_assert(record->len <= SPOOL_MAX_BODY_BYTES);
    memcpy(record->data, magic, sizeof magic);
    put_u32(record->data + 4, self->type);
    memcpy(record->data + 8, &number, sizeof number);
    put_u32(record->data + 16, record->len - SPOOL_FRAME_BYTES);
    put_u32(record->data + 20, has_payload ? self->segment.n_bytes : 0);
    digest = digest_around_itself(record->data, record->len - SPOOL_FRAME_BYTES);
    memcpy(record->data + N_HEAD_BYTES, digest.bytes, sizeof digest.bytes);
    return g_byte_array_free_to_bytes(record);
}

bool
spool_record_read_frame(const uint8_t *bytes, SpoolFrame *frame)
{
    const uint32_t type = get_u32(bytes + 4);
    uint64_t number = 0;

    if (memcmp(bytes, magic, sizeof magic) != 0 || type == 0 || type >= SPOOL_N_RECORD_TYPES)
        return false;
    memcpy(&number, bytes + 8, sizeof number);
    frame->type = (SpoolRecordType) type;
    frame->number = GUINT64_FROM_LE(number);
    frame->n_body_bytes = get_u32(bytes + 16);
    frame->n_payload_bytes = get_u32(bytes + 20);
    memcpy(frame->digest.bytes, bytes + N_HEAD_BYTES, sizeof frame->digest.bytes);
    return frame->n_body_bytes <= SPOOL_MAX_BODY_BYTES &&
           frame->n_payload_bytes <= SPOOL_MAX_PAYLOAD_BYTES;
}

static void
get_segment(SpoolCursor *body, SpoolSegment *segment)
{
    segment->track = spool_cursor_text(body);
    segment->part = (uint32_t) spool_cursor_number(body, UINT32_MAX);
    segment->index = (uint32_t) spool_cursor_number(body, UINT32_MAX);
    segment->object_first = (uint32_t) spool_cursor_number(body, UINT32_MAX);
    segment->start_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    segment->duration_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    segment->flags = (SegmentFlags) spool_cursor_number(body, 31);
    segment->n_bytes = (uint32_t) spool_cursor_number(body, SPOOL_MAX_PAYLOAD_BYTES);
    spool_cursor_digest(body, &segment->digest);
}

static void
get_track(SpoolCursor *body, LedgerTrack *track)
{
    track->id = spool_cursor_text(body);
    track->kind = spool_cursor_text(body);
    track->codec = spool_cursor_text(body);
    track->participant = spool_cursor_text(body);
    track->recipient = spool_cursor_text(body);
    track->from_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
}

static void
get_state(SpoolCursor *body, SpoolSessionState *state)
{
    state->org = spool_cursor_text(body);
    state->created_unix_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    state->state = (SessionEnd) spool_cursor_number(body, SESSION_INTERRUPTED);
    state->n_parts = (uint32_t) spool_cursor_number(body, UINT32_MAX);
    spool_cursor_digest(body, &state->previous);
    body->is_bad |= !age_context_id_is_valid(state->org);
}

static void
get_counts(SpoolCursor *body, TrackCounts *counts)
{
    const size_t n_left = body->n_left / sizeof(uint64_t);

    /* A spool of an earlier version ends here, or has the first of them. */
    counts->n_known = (uint8_t) (track_counts_may_be(n_left) ? n_left : N_TRACK_COUNTS);
    if (body->n_left == 0)
        counts->n_known = 0;
    for (size_t i = 0; i < counts->n_known; i++)
        counts->of[i] = spool_cursor_number(body, TRACK_COUNT_MAX);
}

static void
get_track_state(SpoolCursor *body, SpoolTrackState *state)
{
    state->track = spool_cursor_text(body);
    state->from_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    state->until_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    state->covered_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    state->listed_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    state->n_listed = (uint32_t) spool_cursor_number(body, UINT32_MAX);
    get_counts(body, &state->counts);
}

static void
get_part(SpoolCursor *body, SpoolPart *part)
{
    part->number = (uint32_t) spool_cursor_number(body, UINT32_MAX);
    part->state = (SessionEnd) spool_cursor_number(body, SESSION_INTERRUPTED);
    part->note = spool_cursor_text(body);
    part->items = spool_cursor_list(body);
}

static void
get_clock(SpoolCursor *body, LedgerClock *clock)
{
    clock->track = spool_cursor_text(body);
    clock->part = (uint32_t) spool_cursor_number(body, UINT32_MAX);
    clock->start_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    clock->rtp_timestamp = (uint32_t) spool_cursor_number(body, UINT32_MAX);
}

static void
get_gap(SpoolCursor *body, LedgerGap *gap)
{
    gap->track = spool_cursor_text(body);
    gap->start_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    gap->duration_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
    gap->reason = spool_cursor_text(body);
}

static void
get_fields(SpoolCursor *body, SpoolRecord *self)
{
    switch (self->type) {
    case SPOOL_RECORD_BEGIN:
    case SPOOL_RECORD_END:
        self->file = spool_cursor_number(body, UINT64_MAX);
        break;
    case SPOOL_RECORD_SESSION:
        get_state(body, &self->state);
        break;
    case SPOOL_RECORD_POLICY:
        self->policy_lines = spool_cursor_text(body);
        break;
    case SPOOL_RECORD_TRACK:
        get_track(body, &self->track);
        break;
    case SPOOL_RECORD_CLOCK:
        get_clock(body, &self->clock);
        break;
    case SPOOL_RECORD_SEGMENT:
        get_segment(body, &self->segment);
        break;
    case SPOOL_RECORD_SEGMENT_REF:
        get_segment(body, &self->segment);
        self->segment.file = spool_cursor_number(body, UINT64_MAX);
        self->segment.offset = spool_cursor_number(body, INT64_MAX);
        break;
    case SPOOL_RECORD_GAP:
        get_gap(body, &self->gap);
        break;
    case SPOOL_RECORD_TRACK_END:
        self->track_end.track = spool_cursor_text(body);
        self->track_end.until_us = (int64_t) spool_cursor_number(body, MAX_TIME_US);
        get_counts(body, &self->track_end.counts);
        break;
    case SPOOL_RECORD_CLOSE:
        self->close = (SessionEnd) spool_cursor_number(body, SESSION_INTERRUPTED);
        break;
    case SPOOL_RECORD_PART:
        get_part(body, &self->part);
        break;
    case SPOOL_RECORD_RELEASE:
        self->released_part = (uint32_t) spool_cursor_number(body, UINT32_MAX);
        break;
    case SPOOL_RECORD_DROP:
        self->dropped = spool_cursor_number(body, UINT64_MAX);
        break;
    case SPOOL_RECORD_TRACK_STATE:
        get_track_state(body, &self->track_state);
        break;
    case SPOOL_RECORD_OBJECT:
        self->object.name = spool_cursor_text(body);
        self->object.replaces = spool_cursor_number(body, 1) != 0;
        self->object.bytes = spool_cursor_bytes(body, &self->object.n_bytes);
        break;
    case SPOOL_N_RECORD_TYPES:
    default:
        body->is_bad = true;
    }
}

bool
spool_record_decode(SpoolRecord *self, const uint8_t *bytes, const SpoolFrame *frame)
{
    SpoolCursor body = {.next = bytes + SPOOL_FRAME_BYTES, .n_left = frame->n_body_bytes};
    const Digest digest = digest_around_itself(bytes, frame->n_body_bytes);

    if (!digest_equal(&digest, &frame->digest))
        return false;
    memset(self, 0, sizeof *self);
    self->type = frame->type;
    self->number = frame->number;
    self->session = spool_cursor_text(&body);
    get_fields(&body, self);
    if (self->type == SPOOL_RECORD_SEGMENT && frame->n_payload_bytes != self->segment.n_bytes)
        return false;
    if (self->type != SPOOL_RECORD_SEGMENT && frame->n_payload_bytes != 0)
        return false;
    return !body.is_bad && body.n_left == 0;
}
