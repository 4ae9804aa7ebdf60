#include "storage/spool_check.h"
#include "storage/spool_private.h"
#include "storage/storage_error.h"

/* What the recorder tells the spool. Each call writes a record to the log (page cache only) and
 * applies it to the index; spool_commit() makes it last. */

/* What waits for a flush is in memory too; past this a disk that does not keep it is out of order,
 * and more would only fill the memory. */
enum { MAX_UNFLUSHED_BYTES = 256 << 20 };

static bool
fail_unknown(GError **error, const char *session, const char *track)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                "the spool has no open session %s%s%s", session,
                track == NULL ? "" : " with track ", track == NULL ? "" : track);
    return false;
}

/* Makes room in the present file, or else in a new one. */
static bool
make_room_locked(Spool *self, SpoolFile *file, uint64_t n_bytes, bool is_closing, GError **error)
{
    if (!is_closing && !spool_reserve_keep(self)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_FULL,
                    "%s: the disk is full but for what is needed to end sessions", self->path);
        return false;
    }
    if (!is_closing)
        return spool_file_reserve(file, n_bytes, error);
    if (spool_file_reserve(file, n_bytes, NULL))
        return true;
    spool_reserve_give_up(self);
    return spool_file_reserve(file, n_bytes, error);
}

static SpoolFile *
current_file(const Spool *self)
{
    return g_ptr_array_index(self->locked.files, self->locked.files->len - 1);
}

static bool
write_locked(Spool *self, SpoolItem *item, GBytes *sealed, bool is_closing, GError **error)
{
    const uint64_t n_bytes =
        g_bytes_get_size(item->bytes) + (sealed == NULL ? 0 : g_bytes_get_size(sealed));
    SpoolFile *file = current_file(self);
    int64_t at = -1;

    if (file->is_dead && !spool_rotate_locked(self, error))
        return false;
    file = current_file(self);
    if (!make_room_locked(self, file, n_bytes, is_closing, error))
        return false;
    at = spool_file_append(file, item->bytes, sealed, error);
    if (at < 0) {
        spool_file_failed_locked(self, file); /* the next call goes on in a new file */
        return false;
    }
    if (sealed != NULL) {
        item->file = spool_file_ref(file);
        item->offset = (uint64_t) at + g_bytes_get_size(item->bytes);
    }
    return true;
}

bool
spool_append_locked(Spool *self, SpoolRecord *record, GBytes *sealed, bool is_closing,
                    GError **error)
{
    g_autoptr(SpoolItem) item = NULL;
    g_autoptr(GError) failure = NULL;

    if (!spool_check_record(record, error))
        return false;
    if (sealed != NULL && self->locked.n_unflushed_bytes > MAX_UNFLUSHED_BYTES) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_IO,
                    "%s: the disk has kept nothing for long", self->path);
        return false;
    }
    record->number = self->locked.last_number + 1;
    item = spool_item_new(spool_record_encode(record));
    g_assert(item != NULL); /* what was checked reads back */
    if (!write_locked(self, item, sealed, is_closing, &failure)) {
        /* A full disk stays full; a failed file is left, and the record goes into the next one. */
        if (!g_error_matches(failure, STORAGE_ERROR, STORAGE_ERROR_IO)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (!write_locked(self, item, sealed, is_closing, error))
            return false;
    }
    self->locked.last_number = record->number;
    if (sealed != NULL) {
        item->sealed = g_bytes_ref(sealed);
        g_ptr_array_add(self->locked.unflushed, spool_item_ref(item));
        self->locked.n_unflushed_bytes += g_bytes_get_size(sealed);
    }
    if (!spool_index_apply(self->locked.index, item))
        g_critical("%s: a record that was checked does not apply", self->path);
    return true;
}

/* Every caller's check: the session is open, and so is its track where there is one. */
static bool
is_known_locked(const Spool *self, const char *session, const char *track)
{
    const SpoolSession *found = spool_index_find(self->locked.index, session);

    return found != NULL && found->state == SESSION_OPEN &&
           (track == NULL || spool_session_find_track(found, track) != NULL);
}

static bool
append_known(Spool *self, SpoolRecord *record, const char *track, GBytes *sealed, GError **error)
{
    const bool is_closing =
        record->type != SPOOL_RECORD_SEGMENT && record->type != SPOOL_RECORD_OBJECT;
    bool is_appended = false;

    g_mutex_lock(&self->mutex);
    if (is_known_locked(self, record->session, track)) {
        is_appended = spool_append_locked(self, record, sealed, is_closing, error);
    } else {
        (void) fail_unknown(error, record->session, track);
    }
    g_mutex_unlock(&self->mutex);
    return is_appended;
}

bool
spool_add_session(Spool *self, const LedgerSession *session, GError **error)
{
    SpoolRecord record = {
        .type = SPOOL_RECORD_SESSION,
        .session = session->session,
        .state = {.org = session->org, .created_unix_us = session->created_unix_us},
    };
    bool is_added = false;

    g_mutex_lock(&self->mutex);
    if (spool_index_find(self->locked.index, session->session) != NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT, "session %s exists already",
                    session->session);
    } else {
        is_added = spool_append_locked(self, &record, NULL, false, error);
    }
    g_mutex_unlock(&self->mutex);
    return is_added && (session->policy_lines == NULL || *session->policy_lines == '\0' ||
                        spool_add_policy(self, session->session, session->policy_lines, error));
}

bool
spool_add_track(Spool *self, const char *session, const LedgerTrack *track, GError **error)
{
    SpoolRecord record = {.type = SPOOL_RECORD_TRACK, .session = session, .track = *track};

    return append_known(self, &record, NULL, NULL, error);
}

bool
spool_add_segment(Spool *self, const SealedSegment *segment, GError **error)
{
    SpoolRecord record = {
        .type = SPOOL_RECORD_SEGMENT,
        .session = segment->session,
        .segment = {.track = segment->track,
                    .part = segment->part,
                    .index = segment->index,
                    .object_first = segment->object_first,
                    .start_us = segment->start_us,
                    .duration_us = segment->duration_us,
                    .flags = segment->flags,
                    .n_bytes = (uint32_t) g_bytes_get_size(segment->sealed),
                    .digest = segment->digest},
    };

    g_assert(g_bytes_get_size(segment->sealed) <= SPOOL_MAX_PAYLOAD_BYTES);
    return append_known(self, &record, segment->track, segment->sealed, error);
}

bool
spool_add_gap(Spool *self, const char *session, const LedgerGap *gap, GError **error)
{
    SpoolRecord record = {.type = SPOOL_RECORD_GAP, .session = session, .gap = *gap};

    return append_known(self, &record, gap->track, NULL, error);
}

bool
spool_add_clock(Spool *self, const char *session, const LedgerClock *clock, GError **error)
{
    SpoolRecord record = {.type = SPOOL_RECORD_CLOCK, .session = session, .clock = *clock};

    return append_known(self, &record, clock->track, NULL, error);
}

bool
spool_add_object(Spool *self, const char *session, const LedgerObject *object, GError **error)
{
    SpoolRecord record = {.type = SPOOL_RECORD_OBJECT, .session = session, .object = *object};

    return append_known(self, &record, NULL, NULL, error);
}

bool
spool_add_policy(Spool *self, const char *session, const char *policy_lines, GError **error)
{
    SpoolRecord record = {
        .type = SPOOL_RECORD_POLICY, .session = session, .policy_lines = policy_lines};

    return append_known(self, &record, NULL, NULL, error);
}

bool
spool_close_session(Spool *self, const char *session, const GArray *ends, GError **error)
{
    SpoolRecord close = {.type = SPOOL_RECORD_CLOSE, .session = session, .close = SESSION_CLOSED};

    for (guint i = 0; i < ends->len; i++) {
        const LedgerTrackEnd *end = &g_array_index(ends, LedgerTrackEnd, i);
        SpoolRecord record = {
            .type = SPOOL_RECORD_TRACK_END, .session = session, .track_end = *end};

        if (!append_known(self, &record, end->track, NULL, error))
            return false;
    }
    return append_known(self, &close, NULL, NULL, error);
}
