#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "storage/object_key.h"
#include "storage/recording_check.h"
#include "storage/recording_private.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

/* Verifying without a key, in this order: what the manifest's parts are, what they say together,
 * each object and each segment in it, the envelopes, and whether something lies there that nobody
 * lists. */

typedef struct {
    Recording *recording;
    GPtrArray *findings;
    GHashTable *only;     /* names of the objects to be read; NULL: all */
    uint64_t done, total; /* bytes */
    void (*on_progress)(uint64_t done, uint64_t total, void *user_data);
    void *user_data;
} Verification;

/* Says in words what a stanza claims: `sealtape-segment clinic-a visit-1 p1-audio 0 4`. */
static char *
describe_claim(const char *claim)
{
    g_auto(GStrv) word = NULL;

    if (claim == NULL)
        return g_strdup("does not say where it belongs");
    word = g_strsplit(claim, " ", -1);
    if (strcmp(word[0], "sealtape-segment") == 0 && g_strv_length(word) == 6) {
        return g_strdup_printf("says it is segment %s of track %s part %s of session %s of "
                               "organisation %s",
                               word[5], word[3], word[4], word[2], word[1]);
    }
    if (strcmp(word[0], "sealtape-envelope") == 0 && g_strv_length(word) == 4) {
        return g_strdup_printf("says it is envelope %s of session %s of organisation %s", word[3],
                               word[2], word[1]);
    }
    return g_strdup_printf("says it is '%s'", claim);
}

/* Returns: true if `sealed` claims to be what `expected` says; else what it is instead, in
 * `instead` (owned). */
static bool
claims(const uint8_t *sealed, size_t n_bytes, const AgeContext *expected, char **instead,
       bool *is_age)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *claim = age_file_claimed_context(sealed, n_bytes, &error);

    *is_age = error == NULL;
    if (claim != NULL && strcmp(claim, age_context_text(expected)) == 0)
        return true;
    *instead = error != NULL ? g_strdup_printf("is no age file (%s)", error->message)
                             : describe_claim(claim);
    return false;
}

static void
check_segment(Verification *self, const ManifestSegment *row, GBytes *object)
{
    g_autoptr(AgeContext) expected = age_context_new_segment(
        self->recording->org, self->recording->session, row->track, row->part, row->index);
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(object, &n_bytes);
    g_autofree char *instead = NULL;
    bool is_age = false;
    bool is_genuine = false;
    Digest digest;

    if (row->offset > n_bytes || row->length > n_bytes - row->offset) {
        recording_add_finding(self->findings, "segment-missing",
                              "segment %u of track %s part %u: %s ends before it does", row->index,
                              row->track, row->part, row->object);
        return;
    }
    digest = digest_of(bytes + row->offset, row->length);
    is_genuine = digest_equal(&digest, &row->digest);
    if (!claims(bytes + row->offset, row->length, expected, &instead, &is_age) && is_age) {
        recording_add_finding(self->findings, "segment-misplaced",
                              "segment %u of track %s part %u: what lies in %s at %" PRIu64 " %s",
                              row->index, row->track, row->part, row->object, row->offset, instead);
    } else if (!is_genuine || !is_age) {
        recording_add_finding(self->findings, "segment-changed",
                              "segment %u of track %s part %u: its bytes in %s at %" PRIu64
                              " are not those that were recorded%s%s",
                              row->index, row->track, row->part, row->object, row->offset,
                              is_age ? "" : "; what lies there ", is_age ? "" : instead);
    }
}

static void
report_unreadable(Verification *self, const GPtrArray *segments, const GError *error)
{
    const ManifestSegment *first = g_ptr_array_index(segments, 0);
    const ManifestSegment *last = g_ptr_array_index(segments, segments->len - 1);
    const bool is_missing = g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);

    recording_add_finding(
        self->findings, is_missing ? "object-missing" : "object-unreadable",
        "%s, with segments %u to %u of track %s part %u, %s%s", first->object, first->index,
        last->index, first->track, first->part,
        is_missing ? "is missing" : "can not be read: ", is_missing ? "" : error->message);
}

/* `segments`: all that the manifest places in one object. */
static void
check_object(Verification *self, const GPtrArray *segments)
{
    const ManifestSegment *first = g_ptr_array_index(segments, 0);
    const bool is_read = self->only == NULL || g_hash_table_contains(self->only, first->object);
    g_autoptr(GError) error = NULL;
    GBytes *object = NULL;
    uint64_t end = 0;

    if (is_read)
        object = recording_read_object(self->recording, first->track, first->object, &error);
    if (is_read && object == NULL)
        report_unreadable(self, segments, error);
    for (guint i = 0; i < segments->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(segments, i);

        if (row->offset != end) {
            recording_add_finding(self->findings, "segment-order",
                                  "segment %u of track %s part %u is not listed where the one "
                                  "before it ends in %s",
                                  row->index, row->track, row->part, row->object);
        }
        end = row->offset + row->length;
        if (object != NULL)
            check_segment(self, row, object);
        self->done += row->length;
    }
    if (object != NULL && g_bytes_get_size(object) > end) {
        recording_add_finding(self->findings, "object-changed",
                              "%s is longer than its segments, by %" G_GSIZE_FORMAT " bytes",
                              first->object, g_bytes_get_size(object) - (gsize) end);
    }
    if (self->on_progress != NULL)
        self->on_progress(self->done, self->total, self->user_data);
}

static void
free_rows(void *data)
{
    g_ptr_array_unref(data);
}

/* Returns: the names of the objects that the manifest lists. */
static GHashTable *
check_objects(Verification *self)
{
    const GPtrArray *rows = self->recording->manifest->segments;
    GHashTable *by_object = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_rows);
    g_autoptr(GPtrArray) objects = g_ptr_array_new(); /* in the manifest's order */

    for (guint i = 0; i < rows->len; i++) {
        ManifestSegment *row = g_ptr_array_index(rows, i);
        GPtrArray *segments = g_hash_table_lookup(by_object, row->object);

        if (segments == NULL) {
            segments = g_ptr_array_new();
            g_hash_table_insert(by_object, row->object, segments);
            g_ptr_array_add(objects, segments);
        }
        g_ptr_array_add(segments, row);
        self->total += row->length;
    }
    for (guint i = 0; i < objects->len; i++)
        check_object(self, g_ptr_array_index(objects, i));
    return by_object;
}

static void
check_placed_file(Verification *self, const char *relative, const AgeContext *expected)
{
    g_autofree char *key =
        object_key_join(self->recording->org, self->recording->session, relative);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) sealed = object_store_get(self->recording->store, key, &error);
    const char *kind = g_str_has_prefix(relative, "env/") ? "envelope" : "meta";
    g_autofree char *code = NULL;
    g_autofree char *instead = NULL;
    gsize n_bytes = 0;
    const uint8_t *bytes = NULL;
    bool is_age = false;

    if (sealed == NULL) {
        code = g_strconcat(kind, "-unreadable", NULL);
        recording_add_finding(self->findings, code, "%s can not be read: %s", relative,
                              error->message);
        return;
    }
    bytes = g_bytes_get_data(sealed, &n_bytes);
    if (claims(bytes, n_bytes, expected, &instead, &is_age))
        return;
    code = g_strconcat(kind, is_age ? "-misplaced" : "-malformed", NULL);
    recording_add_finding(self->findings, code, "%s %s", relative, instead);
}

/* Returns: how many envelopes up to `newest` a sealing anew replaced, and are gone. */
static uint32_t
count_replaced(const Verification *self, const GArray *generations, uint32_t newest)
{
    const GPtrArray *notes = reseal_chain_notes(self->recording->resealed);
    g_autoptr(GHashTable) gone = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < notes->len; i++) {
        const ResealNote *note = notes->pdata[i];

        for (guint j = 0; j < note->gone->len; j++) {
            const uint32_t generation = g_array_index(note->gone, ResealEnvelope, j).generation;

            if (generation < newest)
                g_hash_table_add(gone, GUINT_TO_POINTER(generation));
        }
    }
    for (guint i = 0; i < generations->len; i++)
        g_hash_table_remove(gone, GUINT_TO_POINTER(g_array_index(generations, uint32_t, i)));
    return g_hash_table_size(gone);
}

/* Generations are counted from 1 without a gap: a missing one takes tracks with it, unless those
 * were sealed anew. */
static void
check_generations(Verification *self, const GArray *generations)
{
    uint32_t newest = 0;
    uint32_t n_missing = 0;

    for (guint i = 0; i < generations->len; i++)
        newest = MAX(newest, g_array_index(generations, uint32_t, i));
    if (newest == 0) {
        recording_add_finding(self->findings, "envelope-missing",
                              "the session has no envelope (env/1.age): nobody can open it");
        return;
    }
    n_missing = newest - generations->len - count_replaced(self, generations, newest);
    if (n_missing > 0) {
        recording_add_finding(self->findings, "envelope-missing",
                              "env/ holds %u of %u generations of the session's envelope",
                              generations->len, generations->len + n_missing);
    }
}

/* Of what is not read, whether it is there. */
static void
check_there(Verification *self, GHashTable *by_object, const GPtrArray *keys, gsize n_prefix)
{
    g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iterator;
    gpointer name = NULL;
    gpointer segments = NULL;

    for (guint i = 0; i < keys->len; i++)
        g_hash_table_add(there, (char *) g_ptr_array_index(keys, i) + n_prefix);
    g_hash_table_iter_init(&iterator, by_object);
    while (g_hash_table_iter_next(&iterator, &name, &segments)) {
        g_autoptr(GError) missing = NULL;

        if (g_hash_table_contains(self->only, name) || g_hash_table_contains(there, name))
            continue;
        missing = g_error_new_literal(STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "");
        report_unreadable(self, segments, missing);
    }
}

static void
check_listing(Verification *self, GHashTable *by_object)
{
    const Recording *recording = self->recording;
    g_autofree char *prefix = object_key_join(recording->org, recording->session, "");
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) keys = object_store_list(recording->store, prefix, &error);
    g_autoptr(GArray) generations = g_array_new(false, false, sizeof(uint32_t));
    g_autoptr(AgeContext) meta = age_context_new_meta(recording->org, recording->session);
    g_autoptr(AnnotationLog) log =
        keys != NULL ? recording_check_annotations(recording, keys, self->findings) : NULL;

    if (keys == NULL)
        recording_add_finding(self->findings, "store-unreadable", "%s", error->message);
    for (guint i = 0; keys != NULL && i < keys->len; i++) {
        const char *relative = (const char *) g_ptr_array_index(keys, i) + strlen(prefix);
        uint32_t number = 0;

        if (object_key_parse_number(relative, "env", ".age", &number)) {
            g_autoptr(AgeContext) expected =
                age_context_new_envelope(recording->org, recording->session, number);

            g_array_append_val(generations, number);
            check_placed_file(self, relative, expected);
        } else if (strcmp(relative, "meta.age") == 0) {
            check_placed_file(self, relative, meta);
        } else if (!g_hash_table_contains(by_object, relative) &&
                   !object_key_parse_number(relative, "manifest", ".note", &number) &&
                   !object_key_parse_number(relative, "notes", ".note", &number) &&
                   !g_str_has_prefix(relative, "said/") &&
                   !recording_expects(recording, log->view, relative)) {
            recording_add_finding(self->findings, "object-foreign",
                                  "%s lies in the store, but no part of the manifest lists it",
                                  relative);
        }
    }
    if (keys != NULL) {
        recording_check_resealed(recording, log->view, keys, self->only == NULL, self->findings);
    }
    if (keys != NULL && self->only != NULL)
        check_there(self, by_object, keys, strlen(prefix));
    check_generations(self, generations);
}

/* Returns: the findings, owned. */
static GPtrArray *
verify(Verification *verification)
{
    Recording *self = verification->recording;
    g_autoptr(GHashTable) by_object = NULL;

    verification->findings = recording_new_findings();
    if (recording_check_erasure(self, verification->findings))
        return verification->findings;
    for (guint i = 0; i < self->findings->len; i++) {
        const RecordingFinding *finding = g_ptr_array_index(self->findings, i);

        recording_add_finding(verification->findings, finding->code, "%s", finding->message);
    }
    recording_check_manifest(self->manifest, verification->findings);
    by_object = check_objects(verification);
    check_listing(verification, by_object);
    return verification->findings;
}

GPtrArray *
recording_verify(Recording *self,
                 void (*on_progress)(uint64_t done, uint64_t total, void *user_data),
                 void *user_data)
{
    Verification verification = {
        .recording = self,
        .on_progress = on_progress,
        .user_data = user_data,
    };

    return verify(&verification);
}

GPtrArray *
recording_sample(Recording *self, GHashTable *objects)
{
    Verification verification = {.recording = self, .only = objects};

    return verify(&verification);
}
