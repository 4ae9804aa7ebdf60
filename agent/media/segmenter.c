#include "agent/media/segmenter.h"

#include "agent/media/segment_cut.h"

#include <string.h>

/* Pieces grow from the one to the other, so that a second of speech does not take the room of a
 * picture. */
#define FIRST_PIECE_BYTES 4096
#define MAX_PIECE_BYTES   65536
/* Frames that follow within this are neighbours: what lies between belongs to the earlier one. */
#define NEIGHBOUR_US 200000
/* Until the stream shows its pace. */
#define DEFAULT_FRAME_US 33333

struct Segmenter {
    int64_t segment_us;
    bool is_video;
    SegmenterOnSegment on_segment;
    void *user_data;
    Segment *open;         /* NULL between parts and until the first frame */
    size_t piece_capacity; /* of the last piece of `open` */
    uint32_t part;
    uint32_t next_index;
    int64_t last_start_us;
    int64_t frame_us; /* the last frame's duration, told or guessed */
    int64_t end_us;
    uint64_t n_late_keyframes;
};

Segmenter *
segmenter_new(uint64_t segment_ms, bool is_video, SegmenterOnSegment on_segment, void *user_data)
{
    Segmenter *self = g_new0(Segmenter, 1);

    self->segment_us = (int64_t) segment_ms * 1000;
    self->is_video = is_video;
    self->on_segment = on_segment;
    self->user_data = user_data;
    self->frame_us = DEFAULT_FRAME_US;
    self->end_us = -1;
    return self;
}

void
segmenter_begin_part(Segmenter *self, uint32_t part)
{
    g_assert(self->open == NULL);
    self->part = part;
    self->next_index = 0;
}

static void
open_segment(Segmenter *self, const SegmenterFrame *frame)
{
    self->open = g_new0(Segment, 1);
    self->open->part = self->part;
    self->open->index = self->next_index;
    self->open->start_us = frame->start_us;
    self->open->has_header = self->next_index == 0;
    self->open->starts_at_keyframe = frame->is_keyframe;
    self->piece_capacity = 0;
    self->next_index++;
}

static void
close_segment(Segmenter *self, int64_t end_us, bool is_last)
{
    self->open->duration_us = MAX(end_us - self->open->start_us, 0);
    self->open->is_last_of_part = is_last;
    self->on_segment(g_steal_pointer(&self->open), self->user_data);
}

/* Keeps the end of the last frame. Without a told duration, a frame lasts as long as the one before
 * it did. */
static void
keep_pace(Segmenter *self, const SegmenterFrame *frame, bool follows_frame)
{
    const int64_t step_us = frame->start_us - self->last_start_us;

    if (frame->duration_us > 0) {
        self->frame_us = frame->duration_us;
    } else if (follows_frame && step_us > 0 && step_us <= NEIGHBOUR_US) {
        self->frame_us = step_us;
    }
    self->last_start_us = frame->start_us;
    self->end_us = MAX(self->end_us, frame->start_us + self->frame_us);
}

SegmenterAdvice
segmenter_note_frame(Segmenter *self, const SegmenterFrame *frame)
{
    const bool follows_frame = self->open != NULL;
    SegmentCut cut = SEGMENT_CUT_BEFORE_FRAME;

    if (follows_frame) {
        cut = segment_cut_decide(&(SegmentCutCase){
            .segment_us = self->segment_us,
            .age_us = frame->start_us - self->open->start_us,
            .silence_us = frame->start_us - self->end_us,
            .n_bytes = self->open->n_bytes,
            .n_frame_bytes = frame->n_bytes,
            .is_video = self->is_video,
            .is_keyframe = frame->is_keyframe,
        });
        if (cut == SEGMENT_CUT_BEFORE_LATE_KEYFRAME) {
            self->n_late_keyframes++;
            cut = SEGMENT_CUT_BEFORE_FRAME;
        }
        if (cut == SEGMENT_CUT_BEFORE_FRAME)
            close_segment(self, frame->start_us, false);
    }
    keep_pace(self, frame, follows_frame);
    if (cut != SEGMENT_CUT_BEFORE_FRAME) {
        return cut == SEGMENT_CUT_NO ? SEGMENTER_SAME_SEGMENT
                                     : SEGMENTER_SAME_SEGMENT_WANT_KEYFRAME;
    }
    open_segment(self, frame);
    return SEGMENTER_NEW_SEGMENT;
}

static void
add_piece(Segmenter *self)
{
    Segment *open = self->open;
    const size_t bigger = self->piece_capacity * 2;

    self->piece_capacity = CLAMP(bigger, FIRST_PIECE_BYTES, MAX_PIECE_BYTES);
    open->pieces = g_renew(struct iovec, open->pieces, open->n_pieces + 1);
    open->pieces[open->n_pieces].iov_base = g_malloc(self->piece_capacity);
    open->pieces[open->n_pieces].iov_len = 0;
    open->n_pieces++;
}

void
segmenter_append(Segmenter *self, const uint8_t *bytes, size_t n_bytes)
{
    Segment *open = self->open;

    g_assert(open != NULL);
    open->n_bytes += n_bytes;
    while (n_bytes > 0) {
        if (open->n_pieces == 0 || open->pieces[open->n_pieces - 1].iov_len == self->piece_capacity)
            add_piece(self);

        struct iovec *piece = &open->pieces[open->n_pieces - 1];
        const size_t n_now = MIN(n_bytes, self->piece_capacity - piece->iov_len);

        memcpy((uint8_t *) piece->iov_base + piece->iov_len, bytes, n_now);
        piece->iov_len += n_now;
        bytes += n_now;
        n_bytes -= n_now;
    }
}

void
segmenter_note_loss(Segmenter *self)
{
    if (self->open != NULL)
        self->open->is_damaged = true;
}

void
segmenter_end_part(Segmenter *self, int64_t next_us)
{
    const bool is_neighbour =
        next_us > self->last_start_us && next_us - self->last_start_us <= NEIGHBOUR_US;

    if (self->open != NULL)
        close_segment(self, is_neighbour ? next_us : self->end_us, true);
}

uint64_t
segmenter_count_late_keyframes(const Segmenter *self)
{
    return self->n_late_keyframes;
}

int64_t
segmenter_end_us(const Segmenter *self)
{
    return self->end_us;
}

void
segmenter_free(Segmenter *self)
{
    if (self == NULL)
        return;
    segment_free(self->open);
    g_free(self);
}
