#include "agent/recorder/sealer_track.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/age_key.h"

#include <string.h>

/* An object holds at most this much, so that a put stays one request. */
#define OBJECT_BYTES (8u << 20)

struct SealerTrack {
    SealerSession *session;
    char *id;
    AgeRecipient *recipient;
    GPtrArray *recipients; /* that one */
    int64_t object_us;

    /* The object that the next segment may still join. */
    bool has_object;
    uint32_t object_part, object_first, object_next;
    int64_t object_start_us;
    uint64_t object_bytes;

    bool has_lost_part;
    uint32_t lost_part;
    int needs_restart; /* atomic */

    GMutex mutex;
    struct {
        SealerTrackStatus status;
    } locked;
};

SealerTrack *
sealer_track_new(SealerSession *session, const char *track, const char *recipient,
                 uint32_t object_ms, GError **error)
{
    AgeRecipient *parsed = age_recipient_parse(recipient, error);
    SealerTrack *self = NULL;

    if (parsed == NULL)
        return NULL;
    self = g_new0(SealerTrack, 1);
    self->session = session;
    self->id = g_strdup(track);
    self->recipient = parsed;
    self->recipients = g_ptr_array_new();
    g_ptr_array_add(self->recipients, parsed);
    self->object_us = (int64_t) object_ms * 1000;
    g_mutex_init(&self->mutex);
    return self;
}

const char *
sealer_track_id(const SealerTrack *self)
{
    return self->id;
}

SealerSession *
sealer_track_session(const SealerTrack *self)
{
    return self->session;
}

/* An object is whole segments of one part in a row; where it ends depends on nothing but the
 * segments themselves, so that a restart finds the same objects again. */
static void
join_object(SealerTrack *self, const Segment *segment, size_t n_bytes)
{
    const int64_t end_us = segment->start_us + segment->duration_us;
    const bool joins = self->has_object && segment->part == self->object_part &&
                       segment->index == self->object_next &&
                       self->object_bytes + n_bytes <= OBJECT_BYTES &&
                       end_us - self->object_start_us <= self->object_us;

    if (!joins) {
        self->has_object = true;
        self->object_part = segment->part;
        self->object_first = segment->index;
        self->object_start_us = segment->start_us;
        self->object_bytes = 0;
    }
    self->object_next = segment->index + 1;
    self->object_bytes += n_bytes;
}

static SegmentFlags
flags_of(const Segment *segment)
{
    return (segment->has_header ? SEGMENT_FLAG_HEADER : 0) |
           (segment->starts_at_keyframe ? SEGMENT_FLAG_KEYFRAME : SEGMENT_FLAG_NO_KEYFRAME) |
           (segment->is_last_of_part ? SEGMENT_FLAG_LAST : 0) |
           (segment->is_damaged ? SEGMENT_FLAG_DAMAGED : 0);
}

SealedSegment *
sealer_track_seal(SealerTrack *self, const Segment *segment, GError **error)
{
    g_autoptr(AgeContext) context =
        age_context_new_segment(sealer_session_org(self->session), sealer_session_id(self->session),
                                self->id, segment->part, segment->index);
    GBytes *sealed =
        age_file_seal(self->recipients, context, segment->pieces, segment->n_pieces, error);
    SealedSegment *made = NULL;

    if (sealed == NULL)
        return NULL;
    join_object(self, segment, g_bytes_get_size(sealed));
    made = g_new0(SealedSegment, 1);
    made->session = g_strdup(sealer_session_id(self->session));
    made->track = g_strdup(self->id);
    made->part = segment->part;
    made->index = segment->index;
    made->object_first = self->object_first;
    made->start_us = segment->start_us;
    made->duration_us = segment->duration_us;
    made->flags = flags_of(segment);
    made->digest = digest_of_bytes(sealed);
    made->sealed = sealed;
    return made;
}

void
sealer_track_lose(SealerTrack *self, uint32_t part)
{
    if (!sealer_track_has_lost(self, part))
        g_atomic_int_set(&self->needs_restart, 1);
    self->has_lost_part = true;
    self->lost_part = part;
    g_mutex_lock(&self->mutex);
    self->locked.status.n_lost++;
    g_mutex_unlock(&self->mutex);
}

bool
sealer_track_has_lost(const SealerTrack *self, uint32_t part)
{
    return self->has_lost_part && self->lost_part == part;
}

bool
sealer_track_take_restart(SealerTrack *self)
{
    return g_atomic_int_get(&self->needs_restart) != 0 &&
           g_atomic_int_compare_and_exchange(&self->needs_restart, 1, 0);
}

void
sealer_track_acknowledge(SealerTrack *self, int64_t end_us)
{
    g_mutex_lock(&self->mutex);
    self->locked.status.acknowledged_us = MAX(self->locked.status.acknowledged_us, end_us);
    self->locked.status.n_segments++;
    g_mutex_unlock(&self->mutex);
}

void
sealer_track_status(SealerTrack *self, SealerTrackStatus *status)
{
    g_mutex_lock(&self->mutex);
    *status = self->locked.status;
    g_mutex_unlock(&self->mutex);
}

void
sealer_track_free(SealerTrack *self)
{
    if (self == NULL)
        return;
    g_mutex_clear(&self->mutex);
    g_ptr_array_unref(self->recipients);
    age_recipient_free(self->recipient);
    g_free(self->id);
    g_free(self);
}
