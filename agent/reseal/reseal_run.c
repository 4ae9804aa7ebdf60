#include "agent/reseal/reseal_run.h"

#include "agent/reseal/reseal_envelope.h"
#include "agent/reseal/reseal_lease.h"
#include "agent/reseal/reseal_object.h"
#include "crypto/age_context.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

/* In this order, each durable before the next:
 *  1. the session is read, and nothing of it may be in doubt; whether it was sealed anew against
 *     this key already shows in its notes;
 *  2. an annotation claims it, and a generation for the envelope; a second one says what keys that
 *     will hold;
 *  3. the envelope, then each object and statement;
 *  4. the note: from here on readers take the new ones;
 *  5. metadata are sealed to the recipients of now; what is of before is removed;
 *  6. an annotation says that it has ended. */

typedef struct {
    const ResealJob *job;
    ResealResult *result;
    Recording *recording;
    AnnotationLog *log;
    ResealLease *lease;
    uint64_t n_all; /* bytes to be sealed anew */
} Running;

static void
running_clear(Running *self)
{
    g_clear_pointer(&self->recording, recording_free);
    g_clear_pointer(&self->log, annotation_log_free);
    g_clear_pointer(&self->lease, reseal_lease_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Running, running_clear)

void
reseal_result_clear(ResealResult *self)
{
    g_clear_pointer(&self->matters, g_ptr_array_unref);
    g_clear_pointer(&self->note, g_free);
    reseal_removal_clear(&self->removal);
}

/* --- step 1 --- */

/* Looks at everything but the media, each of which is compared when it is read. */
static bool
check(Recording *recording, GError **error)
{
    g_autoptr(GHashTable) nothing = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) findings = recording_sample(recording, nothing);

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        if (strcmp(finding->code, "reseal-unfinished") == 0)
            continue;
        g_set_error(error, STORAGE_ERROR,
                    strcmp(finding->code, "manifest-open") == 0 ? STORAGE_ERROR_BUSY
                                                                : STORAGE_ERROR_CORRUPT,
                    "it stays as it is: %s", finding->message);
        return false;
    }
    return true;
}

static bool
read_session(Running *self, GError **error)
{
    const ResealJob *job = self->job;

    g_clear_pointer(&self->recording, recording_free);
    self->recording = recording_open(job->keys.store, job->org, job->session, &job->trust, error);
    return self->recording != NULL && check(self->recording, error);
}

/* Returns: borrowed; NULL: there is none. */
static const ResealNote *
newest_note(const Running *self)
{
    const GPtrArray *notes = reseal_chain_notes(recording_resealed(self->recording));

    return notes->len == 0 ? NULL : notes->pdata[notes->len - 1];
}

/* Returns: 0: there is no note. */
static uint32_t
newest_generation(const Running *self)
{
    const ResealNote *note = newest_note(self);

    return note != NULL ? note->envelope.generation : 0;
}

/* Whether a note against this key names the track. */
static bool
was_track_resealed(const Running *self, const ManifestTrack *track)
{
    const GPtrArray *notes = reseal_chain_notes(recording_resealed(self->recording));

    for (guint i = 0; i < notes->len; i++) {
        const ResealNote *note = notes->pdata[i];

        for (guint j = 0; strcmp(note->against, self->job->against) == 0 && j < note->tracks->len;
             j++) {
            if (strcmp(((const ResealTrack *) note->tracks->pdata[j])->id, track->id) == 0)
                return true;
        }
    }
    return false;
}

/* Whether it was sealed anew against this key, whole: a transcript that came since may have been on
 * its way while the key was still good. */
static bool
was_resealed(const Running *self)
{
    const GPtrArray *tracks = recording_manifest(self->recording)->tracks;
    bool is_whole = newest_note(self) != NULL;

    for (guint i = 0; is_whole && i < tracks->len; i++)
        is_whole = was_track_resealed(self, tracks->pdata[i]);
    return is_whole;
}

/* Once before it is claimed and once behind: from then on no statement can come that would be
 * sealed to a key that goes. */
static bool
read_annotations(Running *self, GError **error)
{
    const GPtrArray *matters = NULL;

    g_clear_pointer(&self->log, annotation_log_free);
    self->log = recording_read_annotations(self->recording, error);
    if (self->log == NULL)
        return false;
    matters = self->log->view->matters;
    g_clear_pointer(&self->result->matters, g_ptr_array_unref);
    self->result->matters = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < matters->len; i++)
        g_ptr_array_add(self->result->matters, g_strdup(matters->pdata[i]));
    return true;
}

/* --- step 3 --- */

static void
free_rows(void *rows)
{
    g_ptr_array_unref(rows);
}

/* Returns: GPtrArray of GPtrArray of ManifestSegment: by object, in the manifest's order; owned. */
static GPtrArray *
group_objects(Running *self)
{
    const GPtrArray *rows = recording_manifest(self->recording)->segments;
    GPtrArray *objects = g_ptr_array_new_with_free_func(free_rows);
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < rows->len; i++) {
        ManifestSegment *row = rows->pdata[i];
        GPtrArray *segments = g_hash_table_lookup(by_name, row->object);

        if (segments == NULL) {
            segments = g_ptr_array_new();
            g_hash_table_insert(by_name, row->object, segments);
            g_ptr_array_add(objects, segments);
        }
        g_ptr_array_add(segments, row);
        self->n_all += row->length;
    }
    return objects;
}

static bool
seal_objects(Running *self, const ResealWork *work, GError **error)
{
    g_autoptr(GPtrArray) objects = group_objects(self);

    for (guint i = 0; i < objects->len; i++) {
        const GPtrArray *segments = objects->pdata[i];

        if (!reseal_lease_keep(self->lease, error) || !reseal_object(work, segments, error))
            return false;
        self->result->n_objects++;
        for (guint j = 0; j < segments->len; j++)
            self->result->n_bytes += ((const ManifestSegment *) segments->pdata[j])->length;
        if (self->job->on_progress != NULL)
            self->job->on_progress(self->job->user_data, self->result->n_bytes, self->n_all);
    }
    return true;
}

/* --- step 4 --- */

/* Returns: digest of the object, which is there; false with `error`. */
static bool
digest_at(const Running *self, char *key, Digest *digest, GError **error)
{
    g_autofree char *name = key;
    g_autoptr(GBytes) body = object_store_get(self->job->keys.store, name, error);

    if (body == NULL)
        return false;
    *digest = digest_of_bytes(body);
    return true;
}

/* What the note says of itself and of where it stands. */
static bool
begin_note(const Running *self, ResealNote *note, GError **error)
{
    const ResealJob *job = self->job;
    const GPtrArray *notes = reseal_chain_notes(recording_resealed(self->recording));

    note->number = notes->len + 1;
    note->has_previous = notes->len > 0;
    note->n_parts = recording_manifest(self->recording)->number;
    note->at_unix_s = g_get_real_time() / G_USEC_PER_SEC;
    note->by = g_strdup(job->by);
    note->software = g_strdup(job->software);
    note->against = g_strdup(job->against);
    return digest_at(self, object_key_manifest(job->org, job->session, note->n_parts),
                     &note->manifest, error) &&
           (!note->has_previous ||
            digest_at(self, object_key_reseal(job->org, job->session, notes->len), &note->previous,
                      error));
}

/* Signs the note and puts it, unless somebody was faster: its objects are as good. A store that
 * does not know put-if-absent may hold another envelope by now. */
static bool
put_note(const Running *self, const ResealNote *note, GError **error)
{
    const ResealJob *job = self->job;
    g_autoptr(GPtrArray) keys =
        reseal_envelope_confirm(&job->keys, recording_manifest(self->recording), note, error);
    g_autofree char *text = reseal_note_to_text(note);
    g_autoptr(ResealNote) again = keys != NULL ? reseal_note_parse(text, error) : NULL;
    char *whole = NULL;
    g_autoptr(GBytes) body = NULL;
    g_autofree char *key = NULL;

    /* What no reader would take must not be put. */
    if (again == NULL)
        return false;
    whole = note_sign(job->signer, text);
    body = g_bytes_new_take(whole, strlen(whole));
    key = object_key_reseal(note->org, note->session, note->number);
    return object_store_put(job->keys.store, key, body, error);
}

/* Steps 3 and 4. */
static bool
seal_anew(Running *self, GError **error)
{
    const ResealJob *job = self->job;
    const ManifestPart *manifest = recording_manifest(self->recording);
    g_autoptr(ResealNote) note = reseal_note_new(job->org, job->session);
    g_autoptr(SegmentOpening) opening = segment_opening_new(self->recording);
    g_autoptr(ResealKeys) now = reseal_envelope_open(&job->keys, manifest, self->lease, error);
    g_autoptr(TrackKeys) old =
        now != NULL ? track_keys_open(job->keys.store, manifest, job->keys.identities, error)
                    : NULL;
    const ResealWork work = {job->keys.store, self->recording, opening, old, now, note};

    if (old == NULL || !begin_note(self, note, error) ||
        !reseal_keys_describe(now, &job->keys, manifest, note, error) ||
        !seal_objects(self, &work, error) || !reseal_statements(&work, self->log, error) ||
        !reseal_lease_renew(self->lease, error) || !read_annotations(self, error) ||
        !reseal_statements_are_all(note, self->log, error) || !put_note(self, note, error))
        return false;
    self->result->is_resealed = true;
    return true;
}

/* --- steps 5 and 6 --- */

static bool
seal_metadata(const Running *self, GError **error)
{
    const ResealJob *job = self->job;
    g_autofree char *name = object_key_join(job->org, job->session, "meta.age");
    g_autoptr(AgeContext) context = age_context_new_meta(job->org, job->session);
    g_autoptr(GError) fault = NULL;

    switch (rewrap_object(&job->keys, name, context, &fault)) {
    case REWRAP_DONE:
    case REWRAP_CURRENT:
    case REWRAP_GONE: /* not every session has it */
        return true;
    case REWRAP_REFUSED:
    case REWRAP_STOPPED:
    default:
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
}

static bool
say_it_ended(Running *self, GError **error)
{
    const ResealJob *job = self->job;
    const guint n_notes = reseal_chain_notes(recording_resealed(self->recording))->len;
    g_autofree char *generation = g_strdup_printf("%u", newest_generation(self));
    g_autoptr(Annotation) next = annotation_new(job->org, job->session, ANNOTATION_RESEALED);
    Digest digest;

    if (!digest_at(self, object_key_reseal(job->org, job->session, n_notes), &digest, error))
        return false;
    self->result->note = digest_to_hex(&digest);
    annotation_set(next, ANNOTATION_GENERATION, generation);
    annotation_set(next, ANNOTATION_CERTIFICATE, self->result->note);
    annotation_set(next, ANNOTATION_DATE, self->result->removal.until);
    return job->annotate(job->user_data, next, error);
}

/* Whether the keys of now are in place, and nothing needs those of before. What was said since is
 * read again: nothing can be added while the lease holds. */
static bool
confirm(Running *self, GError **error)
{
    g_autoptr(GPtrArray) keys = reseal_envelope_confirm(
        &self->job->keys, recording_manifest(self->recording), newest_note(self), error);

    return keys != NULL && read_annotations(self, error) &&
           reseal_statements_confirm(self->recording, self->log, keys, error);
}

static bool
finish(Running *self, GError **error)
{
    return seal_metadata(self, error) && reseal_lease_renew(self->lease, error) &&
           confirm(self, error) &&
           reseal_removal_run(self->recording, self->job->keys.store, &self->result->removal,
                              error) &&
           say_it_ended(self, error);
}

/* --- the whole --- */

/* Step 2. `generation`: of an envelope that is in place; 0: a new one is wanted. */
static bool
claim(Running *self, uint32_t generation, GError **error)
{
    const ResealJob *job = self->job;
    const ResealLeaseRequest request = {
        .store = job->keys.store,
        .org = job->org,
        .session = job->session,
        .against = job->against,
        .generation = generation,
        .takes_over = job->takes_over,
        .annotate = job->annotate,
        .user_data = job->user_data,
    };

    self->lease = reseal_lease_new(&request, self->log->view, error);
    return self->lease != NULL;
}

static bool
run(Running *self, GError **error)
{
    bool is_left = false;

    if (!read_session(self, error) || !read_annotations(self, error))
        return false;
    if (!was_resealed(self)) {
        return claim(self, 0, error) && read_annotations(self, error) && seal_anew(self, error) &&
               read_session(self, error) && finish(self, error);
    }
    if (!reseal_removal_is_due(self->recording, self->job->keys.store, &is_left, error))
        return false;
    self->result->is_current = !is_left && self->log->view->reseal_generation == 0;
    return self->result->is_current ||
           (claim(self, newest_generation(self), error) && finish(self, error));
}

bool
reseal_run(const ResealJob *job, ResealResult *result, GError **error)
{
    g_auto(Running) self = {.job = job, .result = result};

    *result = (ResealResult){0};
    if (run(&self, error))
        return true;
    g_prefix_error(error, "session %s: ", job->session);
    return false;
}
