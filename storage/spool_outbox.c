#include "storage/spool_outbox.h"

#include "storage/spool_mend.h"
#include "storage/spool_private.h"
#include "storage/storage_error.h"

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
    OutboxSession *self = data;

    g_free(self->org);
    g_free(self->id);
    g_clear_pointer(&self->part, spool_item_unref);
    g_ptr_array_unref(self->items);
    g_ptr_array_unref(self->tracks);
    g_free(self);
}

static OutboxSession *
view_session_locked(const Spool *self, const SpoolSession *session)
{
    const uint64_t durable = self->locked.durable_number;
    OutboxSession *view = g_new0(OutboxSession, 1);

    view->org = g_strdup(session->org);
    view->id = g_strdup(session->id);
    view->created_unix_us = session->created_unix_us;
    view->state = session->close_number <= durable ? session->state : SESSION_OPEN;
    view->n_parts = session->n_parts;
    view->previous = session->previous;
    view->items = g_ptr_array_new_with_free_func((GDestroyNotify) spool_item_unref);
    view->tracks = g_ptr_array_new_with_free_func(free_track);
    if (session->part != NULL)
        view->part = spool_item_ref(session->part);
    for (guint i = 0; i < session->items->len; i++) {
        SpoolItem *item = g_ptr_array_index(session->items, i);

        if (item->record.number <= durable && item->listed_in == 0)
            g_ptr_array_add(view->items, spool_item_ref(item));
    }
    for (guint i = 0; i < session->tracks->len; i++) {
        SpoolTrack *track = g_memdup2(g_ptr_array_index(session->tracks, i), sizeof *track);

        track->id = g_strdup(track->id);
        g_ptr_array_add(view->tracks, track);
    }
    return view;
}

/* A session with a part that is signed but not durable waits for that: its next part must not
 * overtake it. */
static bool
is_visible_locked(const Spool *self, const SpoolSession *session)
{
    const uint64_t durable = self->locked.durable_number;

    return session->begin_number <= durable &&
           (session->part == NULL || session->part->record.number <= durable);
}

GPtrArray *
spool_outbox_view(Spool *self)
{
    GPtrArray *views = g_ptr_array_new_with_free_func(free_session);

    g_mutex_lock(&self->mutex);
    for (guint i = 0; i < self->locked.index->sessions->len; i++) {
        const SpoolSession *session = g_ptr_array_index(self->locked.index->sessions, i);

        if (is_visible_locked(self, session))
            g_ptr_array_add(views, view_session_locked(self, session));
    }
    g_mutex_unlock(&self->mutex);
    return views;
}

/* Where the segment lies may change when a file fails, so it is asked under the lock; the file
 * stays open while it is read. */
static SpoolFile *
locate(Spool *self, const SpoolItem *segment, uint64_t *offset, bool *is_long)
{
    SpoolFile *file = NULL;

    g_mutex_lock(&self->mutex);
    *offset = segment->offset;
    *is_long = self->locked.files->len > SPOOL_FILES_IN_MEMORY;
    if (segment->file != NULL)
        file = spool_file_ref(segment->file);
    g_mutex_unlock(&self->mutex);
    return file;
}

/* A disk may need a second try; what was acknowledged is worth three. */
static bool
read_patiently(const SpoolFile *file, uint64_t offset, uint8_t *bytes, size_t n_bytes,
               GError **error)
{
    enum { N_TRIES = 3 };

    for (int i = 1; i < N_TRIES; i++) {
        g_autoptr(GError) failure = NULL;

        if (spool_file_read_into(file, offset, bytes, n_bytes, &failure))
            return true;
        if (!g_error_matches(failure, STORAGE_ERROR, STORAGE_ERROR_IO))
            break;
    }
    return spool_file_read_into(file, offset, bytes, n_bytes, error);
}

bool
spool_outbox_read(Spool *self, const SpoolItem *segment, uint8_t *bytes, GError **error)
{
    uint64_t offset = 0;
    bool is_long = false;
    g_autoptr(SpoolFile) file = locate(self, segment, &offset, &is_long);
    const SpoolSegment *row = &segment->record.segment;
    Digest digest;

    if (file == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "segment %u of track %s is gone",
                    row->index, row->track);
        return false;
    }
    if (!read_patiently(file, offset, bytes, row->n_bytes, error))
        return false;
    if (is_long)
        spool_file_let_pages_go(file, offset, offset + row->n_bytes);
    digest = digest_of(bytes, row->n_bytes);
    if (digest_equal(&digest, &row->digest))
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "segment %u of track %s part %u changed on the local disk", row->index, row->track,
                row->part);
    return false;
}

bool
spool_outbox_drop(Spool *self, const SpoolItem *segment, GError **error)
{
    const SpoolSegment *row = &segment->record.segment;
    SpoolRecord gap = {
        .type = SPOOL_RECORD_GAP,
        .session = segment->record.session,
        .gap = {row->track, row->start_us, row->duration_us, "corrupt"},
    };
    SpoolRecord drop = {
        .type = SPOOL_RECORD_DROP,
        .session = segment->record.session,
        .dropped = segment->record.number,
    };
    uint64_t offset = 0;
    bool is_long = false;
    g_autoptr(SpoolFile) file = locate(self, segment, &offset, &is_long);
    bool is_dropped = false;

    if (file != NULL && !spool_mend_set_aside(self, file, offset, row->n_bytes, error))
        return false;
    g_mutex_lock(&self->mutex);
    is_dropped = spool_append_locked(self, &gap, NULL, true, error) &&
                 spool_append_locked(self, &drop, NULL, true, error);
    self->locked.n_quarantined += is_dropped;
    g_mutex_unlock(&self->mutex);
    return is_dropped;
}

bool
spool_outbox_drop_object(Spool *self, const SpoolItem *object, GError **error)
{
    SpoolRecord drop = {
        .type = SPOOL_RECORD_DROP,
        .session = object->record.session,
        .dropped = object->record.number,
    };
    bool is_dropped = false;

    g_mutex_lock(&self->mutex);
    is_dropped = spool_append_locked(self, &drop, NULL, true, error);
    g_mutex_unlock(&self->mutex);
    return is_dropped;
}

SpoolItem *
spool_outbox_add_part(Spool *self, const char *session, const SpoolPart *part, GError **error)
{
    SpoolRecord record = {.type = SPOOL_RECORD_PART, .session = session, .part = *part};
    SpoolItem *added = NULL;

    g_mutex_lock(&self->mutex);
    if (spool_append_locked(self, &record, NULL, true, error))
        added = spool_item_ref(spool_index_find(self->locked.index, session)->part);
    g_mutex_unlock(&self->mutex);
    return added;
}

bool
spool_outbox_release(Spool *self, const char *session, uint32_t part, GError **error)
{
    SpoolRecord record = {.type = SPOOL_RECORD_RELEASE, .session = session, .released_part = part};
    bool is_released = false;

    g_mutex_lock(&self->mutex);
    is_released = spool_append_locked(self, &record, NULL, true, error);
    if (is_released)
        spool_sweep_locked(self);
    g_mutex_unlock(&self->mutex);
    return is_released;
}
