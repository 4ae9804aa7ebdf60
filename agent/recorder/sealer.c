#include "agent/recorder/sealer.h"

#include "agent/recorder/ledger_debts.h"
#include "agent/recorder/seal_quota.h"
#include "storage/storage_error.h"

#include <string.h>

/* The order that makes an acknowledgement true:
 *   1. a message is taken from the queue; a segment is sealed at once and its plaintext wiped;
 *   2. what it says is appended to the spool;
 *   3. when a tenth of a second is over, or a session ends, one spool_commit() makes all of it
 * durable;
 *   4. only then tracks are told what is acknowledged, and sessions that they are closed. */
#define COMMIT_INTERVAL_US (100 * G_TIME_SPAN_MILLISECOND)
#define RETRY_INTERVAL_US  G_TIME_SPAN_SECOND
#define DEFAULT_QUEUE      (UINT64_C(256) << 20)

typedef enum {
    MESSAGE_SEGMENT,
    MESSAGE_GAP,
    MESSAGE_CLOCK,
    MESSAGE_END,
    MESSAGE_STOP,
    MESSAGE_WAKE,
    MESSAGE_QUIT,
} MessageKind;

typedef struct {
    MessageKind kind;
    SealerTrack *track;     /* but for STOP, WAKE and QUIT */
    SealerSession *session; /* STOP */
    Segment *segment;       /* SEGMENT; owned */
    SealQuotaShare share;   /* SEGMENT */
    const char *reason;     /* GAP; interned */
    int64_t start_us;       /* GAP, CLOCK */
    int64_t duration_us;    /* GAP */
    int64_t until_us;       /* END */
    TrackCounts counts;     /* END */
    uint32_t part;          /* CLOCK, and of a lost segment in GAP */
    uint32_t rtp_timestamp; /* CLOCK */
    unsigned n_tracks;      /* STOP */
    bool loses_part;        /* GAP: `part` lost a segment here */
} Message;

typedef struct {
    SealerTrack *track;
    int64_t end_us;
} Acknowledgement;

struct Sealer {
    SealerOptions options;
    GAsyncQueue *queue;
    GThread *thread;
    SealQuota *quota;
    unsigned n_turns; /* atomic */

    /* Of the thread: appended, and not yet durable. */
    GArray *unacknowledged; /* Acknowledgement */
    GPtrArray *closing;     /* SealerSession: the spool knows its end */
    LedgerDebts *debts;
    bool is_dirty;
    bool is_urgent;
    bool is_quitting;
    int64_t commit_at_us;
};

static void
message_free(Message *self)
{
    segment_free(self->segment);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)

static const char *
reason_of(const GError *error)
{
    if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_FULL))
        return "disk-full";
    return error->domain == STORAGE_ERROR ? "disk-failed" : "sealing-failed";
}

static void
tell_trouble(Sealer *self, const char *session, const GError *error)
{
    self->options.on_trouble(session, error, self->options.user_data);
}

static void
append_gap(Sealer *self, const SealerTrack *track, int64_t start_us, int64_t duration_us,
           const char *reason)
{
    const LedgerGap gap = {sealer_track_id(track), start_us, duration_us, reason};
    g_autoptr(GError) error = NULL;
    const char *session = sealer_session_id(sealer_track_session(track));

    self->is_dirty = true;
    if (!ledger_debts_add_gap(self->debts, session, &gap, &error))
        tell_trouble(self, session, error);
}

/* The segment's whole stretch becomes a gap. */
static void
lose_segment(Sealer *self, SealerTrack *track, const Segment *segment, const char *reason)
{
    sealer_track_lose(track, segment->part);
    append_gap(self, track, segment->start_us, segment->duration_us, reason);
}

static void
take_segment(Sealer *self, SealerTrack *track, const Segment *segment)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SealedSegment) sealed = NULL;
    const Acknowledgement wanted = {track, segment->start_us + segment->duration_us};

    if (sealer_track_has_lost(track, segment->part)) {
        lose_segment(self, track, segment, "part-broken");
        return;
    }
    sealed = sealer_track_seal(track, segment, &error);
    if (sealed == NULL || !spool_add_segment(self->options.spool, sealed, &error)) {
        lose_segment(self, track, segment, reason_of(error));
        tell_trouble(self, sealer_session_id(sealer_track_session(track)), error);
        return;
    }
    self->is_dirty = true;
    g_array_append_val(self->unacknowledged, wanted);
}

static void
take_gap(Sealer *self, const Message *message)
{
    if (message->loses_part)
        sealer_track_lose(message->track, message->part);
    append_gap(self, message->track, message->start_us, message->duration_us, message->reason);
}

static void
take_clock(Sealer *self, const Message *message)
{
    g_autoptr(GError) error = NULL;
    const char *session = sealer_session_id(sealer_track_session(message->track));
    const LedgerClock clock = {
        .track = sealer_track_id(message->track),
        .part = message->part,
        .start_us = message->start_us,
        .rtp_timestamp = message->rtp_timestamp,
    };

    self->is_dirty = true;
    if (!ledger_debts_add_clock(self->debts, session, &clock, &error))
        tell_trouble(self, session, error);
}

static void
close_if_ended(Sealer *self, SealerSession *session)
{
    if (sealer_session_ends(session) == NULL)
        return;
    self->is_dirty = true;
    self->is_urgent = true;
    ledger_debts_add_end(self->debts, session);
}

static void
take_end(Sealer *self, const Message *message)
{
    const LedgerTrackEnd end = {
        .track = sealer_track_id(message->track),
        .until_us = message->until_us,
        .counts = message->counts,
    };

    sealer_session_add_end(sealer_track_session(message->track), &end);
    close_if_ended(self, sealer_track_session(message->track));
}

static void
take_message(Sealer *self, const Message *message)
{
    switch (message->kind) {
    case MESSAGE_SEGMENT:
        g_assert(message->segment != NULL);
        take_segment(self, message->track, message->segment);
        break;
    case MESSAGE_GAP:
        take_gap(self, message);
        break;
    case MESSAGE_CLOCK:
        take_clock(self, message);
        break;
    case MESSAGE_END:
        take_end(self, message);
        break;
    case MESSAGE_STOP:
        sealer_session_stop(message->session, message->n_tracks);
        close_if_ended(self, message->session);
        break;
    case MESSAGE_WAKE:
        break;
    case MESSAGE_QUIT:
        self->is_quitting = true;
        break;
    }
}

static void
acknowledge_all(Sealer *self)
{
    for (guint i = 0; i < self->unacknowledged->len; i++) {
        const Acknowledgement *done = &g_array_index(self->unacknowledged, Acknowledgement, i);

        sealer_track_acknowledge(done->track, done->end_us);
    }
    g_array_set_size(self->unacknowledged, 0);
    self->options.on_acknowledged(self->options.user_data);
    for (guint i = 0; i < self->closing->len; i++) {
        /* The owner may free the session as soon as it is told. */
        g_autofree char *id = g_strdup(sealer_session_id(g_ptr_array_index(self->closing, i)));

        self->options.on_session_closed(id, self->options.user_data);
    }
    g_ptr_array_set_size(self->closing, 0);
}

/* What is owed does not keep the rest from being acknowledged. */
static void
commit(Sealer *self)
{
    g_autoptr(GError) debt = NULL;
    g_autoptr(GError) error = NULL;
    const bool is_paid = ledger_debts_pay(self->debts, self->closing, &debt);
    const bool is_durable = spool_commit(self->options.spool, &error);

    self->is_dirty = !is_paid || !is_durable;
    self->is_urgent = false;
    self->commit_at_us =
        g_get_monotonic_time() + (self->is_dirty ? RETRY_INTERVAL_US : COMMIT_INTERVAL_US);
    if (is_durable)
        acknowledge_all(self);
    if (self->is_dirty)
        tell_trouble(self, NULL, is_durable ? debt : error);
}

/* The next message, or NULL when it is time to commit what is there. */
static Message *
next_message(Sealer *self)
{
    const int64_t wait_us = self->commit_at_us - g_get_monotonic_time();

    if (!self->is_dirty)
        return g_async_queue_pop(self->queue);
    if (self->is_urgent || wait_us <= 0)
        return g_async_queue_try_pop(self->queue);
    return g_async_queue_timeout_pop(self->queue, (guint64) wait_us);
}

static gpointer
run(gpointer data)
{
    Sealer *self = data;

    while (!self->is_quitting || self->is_dirty) {
        g_autoptr(Message) message = next_message(self);

        g_atomic_int_inc(&self->n_turns);
        if (message != NULL) {
            if (message->segment != NULL)
                seal_quota_give_back(self->quota, &message->share);
            take_message(self, message);
        }
        /* A queue that never runs dry must not put the flush off. */
        if (self->is_dirty && (message == NULL || self->is_quitting ||
                               g_get_monotonic_time() > self->commit_at_us + COMMIT_INTERVAL_US))
            commit(self);
        if (self->is_quitting && self->is_dirty)
            break;
    }
    return NULL;
}

Sealer *
sealer_new(const SealerOptions *options)
{
    Sealer *self = g_new0(Sealer, 1);

    self->options = *options;
    self->quota = seal_quota_new(options->queue_bytes == 0 ? DEFAULT_QUEUE : options->queue_bytes);
    self->queue = g_async_queue_new_full((GDestroyNotify) message_free);
    self->unacknowledged = g_array_new(FALSE, FALSE, sizeof(Acknowledgement));
    self->closing = g_ptr_array_new();
    self->debts = ledger_debts_new(options->spool);
    self->thread = g_thread_new("sealer", run, self);
    return self;
}

static void
send(Sealer *self, const Message *content)
{
    g_async_queue_push(self->queue, g_memdup2(content, sizeof *content));
}

void
sealer_take_segment(Sealer *self, SealerTrack *track, Segment *segment)
{
    SealQuotaShare share = {.track = track, .n_bytes = segment->n_bytes};

    if (!seal_quota_take(self->quota, &share)) {
        send(self, &(Message){
                       .kind = MESSAGE_GAP,
                       .track = track,
                       .start_us = segment->start_us,
                       .duration_us = segment->duration_us,
                       .reason = "overload",
                       .part = segment->part,
                       .loses_part = true,
                   });
        segment_free(segment);
        return;
    }
    send(self,
         &(Message){.kind = MESSAGE_SEGMENT, .track = track, .segment = segment, .share = share});
}

void
sealer_take_gap(Sealer *self, SealerTrack *track, const LedgerGap *gap)
{
    send(self, &(Message){
                   .kind = MESSAGE_GAP,
                   .track = track,
                   .start_us = gap->start_us,
                   .duration_us = gap->duration_us,
                   .reason = g_intern_string(gap->reason),
               });
}

void
sealer_take_clock(Sealer *self, SealerTrack *track, const LedgerClock *clock)
{
    send(self, &(Message){
                   .kind = MESSAGE_CLOCK,
                   .track = track,
                   .part = clock->part,
                   .start_us = clock->start_us,
                   .rtp_timestamp = clock->rtp_timestamp,
               });
}

void
sealer_take_end(Sealer *self, SealerTrack *track, const LedgerTrackEnd *end)
{
    send(self, &(Message){
                   .kind = MESSAGE_END,
                   .track = track,
                   .until_us = end->until_us,
                   .counts = end->counts,
               });
}

void
sealer_take_stop(Sealer *self, SealerSession *session, unsigned n_tracks)
{
    send(self, &(Message){.kind = MESSAGE_STOP, .session = session, .n_tracks = n_tracks});
}

uint64_t
sealer_queued_bytes(Sealer *self)
{
    return seal_quota_waiting(self->quota);
}

uint64_t
sealer_ask(void *data)
{
    Sealer *self = data;

    if (g_async_queue_length(self->queue) <= 0)
        send(self, &(Message){.kind = MESSAGE_WAKE});
    return (uint64_t) (unsigned) g_atomic_int_get(&self->n_turns);
}

void
sealer_free(Sealer *self)
{
    if (self == NULL)
        return;
    send(self, &(Message){.kind = MESSAGE_QUIT});
    (void) g_thread_join(self->thread); /* the thread returns nothing */
    g_async_queue_unref(self->queue);
    g_array_unref(self->unacknowledged);
    g_ptr_array_unref(self->closing);
    ledger_debts_free(self->debts);
    seal_quota_free(self->quota);
    g_free(self);
}
