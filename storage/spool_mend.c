#include "storage/spool_mend.h"

#include "storage/spool_check.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Shorter holes are rounding between clocks. */
enum { TOLERANCE_US = 1000 };

bool
spool_mend_set_aside(Spool *self, SpoolFile *file, uint64_t offset, uint64_t n_bytes,
                     GError **error)
{
    g_autofree char *name = g_strdup_printf("%010" PRIu64 "-%" PRIu64 ".bin", file->number, offset);
    g_auto(Fd) folder =
        openat(self->dir, "quarantine", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) failure = NULL;

    if (folder < 0)
        return storage_fail_errno(error, "open", "quarantine");
    bytes = spool_file_read(file, offset, n_bytes, &failure);
    if (bytes == NULL) {
        g_message("%s: can not keep what is damaged: %s", self->path, failure->message);
        return true;
    }
    if (durable_file_create(folder, name, 0600, bytes, &failure) ||
        g_error_matches(failure, STORAGE_ERROR, STORAGE_ERROR_CONFLICT) ||
        g_error_matches(failure, STORAGE_ERROR, STORAGE_ERROR_FULL))
        return true; /* a full disk must not keep the recorder from starting */
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static void
add_gap(Spool *self, const SpoolSession *session, const LedgerGap *gap)
{
    const SpoolRecord record = {
        .type = SPOOL_RECORD_GAP,
        .number = self->locked.last_number + 1,
        .session = session->id,
        .gap = *gap,
    };
    g_autoptr(SpoolItem) item = NULL;

    if (!spool_check_record(&record, NULL)) {
        g_message("%s: session %s has times beyond all sense", self->path, session->id);
        return;
    }
    self->locked.last_number++;
    item = spool_item_new(spool_record_encode(&record));
    g_assert(item != NULL && spool_index_apply(self->locked.index, item));
}

static bool
set_damaged_aside(Spool *self, SpoolSession *session, GError **error)
{
    for (guint i = session->items->len; i > 0; i--) {
        g_autoptr(SpoolItem) item = spool_item_ref(g_ptr_array_index(session->items, i - 1));
        const SpoolSegment *segment = &item->record.segment;
        const LedgerGap gap = {segment->track, segment->start_us, segment->duration_us, "corrupt"};

        /* Listed by a signed part, it is in the store already. */
        if (!item->is_damaged || item->listed_in != 0)
            continue;
        if (item->file != NULL &&
            !spool_mend_set_aside(self, item->file, item->offset, segment->n_bytes, error))
            return false;
        g_ptr_array_remove_index(session->items, i - 1);
        add_gap(self, session, &gap);
        self->locked.n_quarantined++;
    }
    return true;
}

typedef struct {
    int64_t start_us, end_us;
} Stretch;

static int
compare_stretches(gconstpointer a, gconstpointer b)
{
    const Stretch *first = a;
    const Stretch *second = b;

    return (first->start_us > second->start_us) - (first->start_us < second->start_us);
}

static GArray *
stretches_of(const SpoolSession *session, const char *track)
{
    GArray *stretches = g_array_new(false, false, sizeof(Stretch));

    for (guint i = 0; i < session->items->len; i++) {
        const SpoolRecord *record =
            &((const SpoolItem *) g_ptr_array_index(session->items, i))->record;
        Stretch stretch = {0};

        if (record->type == SPOOL_RECORD_SEGMENT && strcmp(record->segment.track, track) == 0) {
            stretch = (Stretch){record->segment.start_us,
                                record->segment.start_us + record->segment.duration_us};
        } else if (record->type == SPOOL_RECORD_GAP && strcmp(record->gap.track, track) == 0) {
            stretch =
                (Stretch){record->gap.start_us, record->gap.start_us + record->gap.duration_us};
        } else {
            continue;
        }
        g_array_append_val(stretches, stretch);
    }
    g_array_sort(stretches, compare_stretches);
    return stretches;
}

/* Only after records were lost: otherwise what has no gap is the recorder's fault, and must show.
 */
static void
fill_holes(Spool *self, SpoolSession *session, const SpoolTrack *track)
{
    g_autoptr(GArray) stretches = stretches_of(session, track->id);
    const bool is_open = session->state == SESSION_OPEN;
    const Stretch end = {is_open ? track->covered_us : track->until_us, 0};
    int64_t covered_us = MAX(track->from_us, track->listed_us);

    g_array_append_val(stretches, end);
    for (guint i = 0; i < stretches->len; i++) {
        const Stretch *next = &g_array_index(stretches, Stretch, i);
        const LedgerGap gap = {track->id, covered_us, next->start_us - covered_us, "corrupt"};

        if (gap.duration_us > TOLERANCE_US)
            add_gap(self, session, &gap);
        covered_us = MAX(covered_us, next->end_us);
    }
}

/* Returns: the last moment at which the recorder is known to have been alive; 0 if unknown. */
static int64_t
last_heartbeat(const Spool *self)
{
    char text[32] = {0};

    if (pread(self->heartbeat, text, sizeof text - 1, 0) <= 0)
        return 0;
    return CLAMP(g_ascii_strtoll(text, NULL, 10), 0, INT64_MAX / 4);
}

/* Until when at most the session was recorded, on its timeline: until just before the beat that
 * would have followed. A beat may be late, so what is kept counts as a sign of life as well. */
static int64_t
alive_until(const Spool *self, const SpoolSession *session)
{
    int64_t alive_us = MAX(last_heartbeat(self) - session->created_unix_us, 0);

    for (guint i = 0; i < session->tracks->len; i++) {
        const SpoolTrack *track = g_ptr_array_index(session->tracks, i);

        alive_us = MAX(alive_us, track->covered_us);
    }
    return alive_us + SPOOL_HEARTBEAT_US;
}

static void
interrupt(Spool *self, SpoolSession *session)
{
    const int64_t alive_us = alive_until(self, session);

    for (guint i = 0; i < session->tracks->len; i++) {
        SpoolTrack *track = g_ptr_array_index(session->tracks, i);
        const LedgerGap gap = {track->id, track->covered_us, alive_us - track->covered_us,
                               "interrupted"};

        if (gap.duration_us > 0)
            add_gap(self, session, &gap);
        track->until_us = track->covered_us;
    }
    session->state = SESSION_INTERRUPTED;
    self->locked.n_recovered++;
}

bool
spool_mend(Spool *self, GError **error)
{
    for (guint i = 0; i < self->locked.index->sessions->len; i++) {
        SpoolSession *session = g_ptr_array_index(self->locked.index->sessions, i);

        if (!set_damaged_aside(self, session, error))
            return false;
        for (guint j = 0; self->locked.n_quarantined > 0 && j < session->tracks->len; j++)
            fill_holes(self, session, g_ptr_array_index(session->tracks, j));
        if (session->state == SESSION_OPEN)
            interrupt(self, session);
    }
    return true;
}
