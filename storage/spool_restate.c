#include "storage/spool_restate.h"

typedef struct {
    GByteArray *log;
    size_t n_records;
} Restatement;

static void
write_bytes(Restatement *self, GBytes *bytes)
{
    gsize n_bytes = 0;
    const void *start = g_bytes_get_data(bytes, &n_bytes);

    g_byte_array_append(self->log, start, (guint) n_bytes);
    self->n_records++;
}

static void
write_record(Restatement *self, const SpoolRecord *record)
{
    g_autoptr(GBytes) bytes = spool_record_encode(record);

    write_bytes(self, bytes);
}

static void
write_session(Restatement *self, const SpoolSession *session)
{
    const SpoolRecord record = {
        .type = SPOOL_RECORD_SESSION,
        .session = session->id,
        .state = {.org = session->org,
                  .created_unix_us = session->created_unix_us,
                  .state = session->state,
                  .n_parts = session->n_parts,
                  .previous = session->previous},
    };

    write_record(self, &record);
}

static void
write_item(Restatement *self, const SpoolItem *item)
{
    SpoolRecord reference = item->record;

    if (item->record.type != SPOOL_RECORD_SEGMENT) {
        write_bytes(self, item->bytes);
        return;
    }
    if (item->sealed != NULL)
        return;
    reference.type = SPOOL_RECORD_SEGMENT_REF;
    reference.segment.file = item->file->number;
    reference.segment.offset = item->offset;
    write_record(self, &reference);
}

static void
write_track_state(Restatement *self, const SpoolSession *session, const SpoolTrack *track)
{
    const SpoolRecord record = {
        .type = SPOOL_RECORD_TRACK_STATE,
        .session = session->id,
        .track_state = {.track = track->id,
                        .from_us = track->from_us,
                        .until_us = track->until_us,
                        .covered_us = track->covered_us,
                        .listed_us = track->listed_us,
                        .n_listed = track->n_listed,
                        .counts = track->counts},
    };

    write_record(self, &record);
}

static void
write_track_states(Restatement *self, const SpoolSession *session)
{
    for (guint i = 0; i < session->tracks->len; i++)
        write_track_state(self, session, g_ptr_array_index(session->tracks, i));
}

/* Tracks stand first, because items hang on them; and last, because items and parts change their
 * sums on the way. */
static void
restate_session(Restatement *self, const SpoolSession *session)
{
    write_session(self, session);
    write_track_states(self, session);
    for (guint i = 0; i < session->items->len; i++)
        write_item(self, g_ptr_array_index(session->items, i));
    if (session->part != NULL)
        write_bytes(self, session->part->bytes);
    write_track_states(self, session);
}

void
spool_restate(const SpoolIndex *index, uint64_t file, GByteArray *log)
{
    Restatement self = {.log = log};
    SpoolRecord mark = {.type = SPOOL_RECORD_BEGIN, .session = "", .file = file};

    write_record(&self, &mark);
    for (guint i = 0; i < index->sessions->len; i++)
        restate_session(&self, g_ptr_array_index(index->sessions, i));
    mark.type = SPOOL_RECORD_END;
    mark.n_records = self.n_records - 1;
    write_record(&self, &mark);
}
