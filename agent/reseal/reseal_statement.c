#include "agent/reseal/reseal_object.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/envelope.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

/* A statement is sealed to one of the session's tracks: whoever has that key can read it, so it
 * gets the new one. Its annotation names it by the digest of the first sealing for good. */

typedef struct {
    const ResealWork *work;
    const char *digest; /* as the annotation names it */
    char *track;        /* whose key opens it */
    AgeContext *place;
    char *key;        /* of the new object */
    GByteArray *text; /* wiped when freed */
} Statement;

static void
statement_clear(Statement *self)
{
    g_clear_pointer(&self->track, g_free);
    g_clear_pointer(&self->place, age_context_free);
    g_clear_pointer(&self->key, g_free);
    g_clear_pointer(&self->text, age_file_wipe);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Statement, statement_clear)

/* Returns: the track whose key opens it, as its header claims, owned; NULL: it claims nothing.
 * Opening it shows whether that is true. */
static char *
claimed_track(GBytes *sealed)
{
    g_autofree char *claim =
        age_file_claimed_context(g_bytes_get_data(sealed, NULL), g_bytes_get_size(sealed), NULL);
    g_auto(GStrv) words = g_strsplit(claim != NULL ? claim : "", " ", -1);

    return g_strv_length(words) == 4 && age_context_id_is_valid(words[3]) ? g_strdup(words[3])
                                                                          : NULL;
}

static bool
find_track(Statement *self, GBytes *sealed, GError **error)
{
    const ManifestPart *manifest = recording_manifest(self->work->recording);

    self->track = claimed_track(sealed);
    if (self->track == NULL || reseal_keys_recipients(self->work->now, self->track) == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "it does not say which track's key opens it");
        return false;
    }
    self->place = age_context_new_statement(manifest->org, manifest->session, self->track);
    return true;
}

static bool
open_old(Statement *self, GBytes *sealed, GError **error)
{
    GPtrArray *old =
        find_track(self, sealed, error) ? track_keys_of(self->work->old, self->track, error) : NULL;

    if (old != NULL) {
        self->text = age_file_open(old, self->place, g_bytes_get_data(sealed, NULL),
                                   g_bytes_get_size(sealed), error);
    }
    return self->text != NULL;
}

/* Puts it unless a run before has. Returns: what lies there then, owned. */
static GBytes *
put_and_read(const Statement *self, GError **error)
{
    ObjectStore *store = self->work->store;
    const struct iovec piece = {self->text->data, self->text->len};
    g_autoptr(GError) fault = NULL;
    GBytes *there = object_store_get(store, self->key, &fault);
    g_autoptr(GBytes) sealed = NULL;

    if (there != NULL)
        return there;
    if (!g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    g_clear_error(&fault);
    sealed = age_file_seal(reseal_keys_recipients(self->work->now, self->track), self->place,
                           &piece, 1, error);
    if (sealed == NULL)
        return NULL;
    if (object_store_put(store, self->key, sealed, &fault) ||
        g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CONFLICT))
        return object_store_get(store, self->key, error);
    g_propagate_error(error, g_steal_pointer(&fault));
    return NULL;
}

/* Whether what lies there now is the same. */
static bool
check_new(const Statement *self, GBytes *sealed, GError **error)
{
    GByteArray *again =
        age_file_open(reseal_keys_identities(self->work->now, self->track), self->place,
                      g_bytes_get_data(sealed, NULL), g_bytes_get_size(sealed), error);
    const bool is_same = again != NULL && again->len == self->text->len &&
                         memcmp(again->data, self->text->data, again->len) == 0;

    if (again != NULL && !is_same) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "%s holds another text than what it is to replace", self->key);
    }
    age_file_wipe(again);
    return is_same;
}

static bool
reseal_one(const ResealWork *work, const char *digest, GError **error)
{
    const ManifestPart *manifest = recording_manifest(work->recording);
    g_auto(Statement) self = {.work = work, .digest = digest};
    g_autofree char *relative =
        g_strdup_printf("r%u/said/%s.sealed", work->note->envelope.generation, digest);
    g_autoptr(GBytes) before = recording_read_statement(work->recording, digest, error);
    g_autoptr(GBytes) now = NULL;
    ResealSaid row;

    self.key = object_key_join(manifest->org, manifest->session, relative);
    if (before == NULL || !open_old(&self, before, error))
        return false;
    now = put_and_read(&self, error);
    if (now == NULL || !check_new(&self, now, error))
        return false;
    row.before = digest_of_bytes(before);
    row.now = digest_of_bytes(now);
    if (!digest_from_hex(&row.name, digest))
        row.name = row.before; /* annotations hold nothing else */
    g_array_append_val(work->note->said, row);
    return true;
}

bool
reseal_statements(const ResealWork *work, const AnnotationLog *log, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < log->annotations->len; i++) {
        const Annotation *told = log->annotations->pdata[i];
        char *digest = told->values[ANNOTATION_STATEMENT];

        if (digest == NULL || !g_hash_table_add(seen, digest))
            continue;
        if (!reseal_one(work, digest, error)) {
            g_prefix_error(error, "the statement of annotation %u: ", told->number);
            return false;
        }
    }
    return true;
}

bool
reseal_statements_are_all(const ResealNote *note, const AnnotationLog *log, GError **error)
{
    for (guint i = 0; i < log->annotations->len; i++) {
        const Annotation *told = log->annotations->pdata[i];
        const char *digest = told->values[ANNOTATION_STATEMENT];

        if (digest == NULL || reseal_note_names(note, digest))
            continue;
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY,
                    "the statement of annotation %u was added meanwhile: run it again",
                    told->number);
        return false;
    }
    return true;
}

/* Whether one of `identities` opens it, in its place. */
static bool
opens(const ManifestPart *manifest, GBytes *sealed, GPtrArray *identities)
{
    g_autofree char *track = claimed_track(sealed);
    g_autoptr(AgeContext) place =
        track != NULL ? age_context_new_statement(manifest->org, manifest->session, track) : NULL;
    GByteArray *text = place != NULL
                           ? age_file_open(identities, place, g_bytes_get_data(sealed, NULL),
                                           g_bytes_get_size(sealed), NULL)
                           : NULL;

    age_file_wipe(text);
    return text != NULL;
}

bool
reseal_statements_confirm(const Recording *recording, const AnnotationLog *log,
                          const GPtrArray *keys, GError **error)
{
    g_autoptr(GPtrArray) identities = g_ptr_array_new();

    for (guint i = 0; i < keys->len; i++)
        g_ptr_array_add(identities, ((const EnvelopeKey *) keys->pdata[i])->identity);
    for (guint i = 0; i < log->annotations->len; i++) {
        const Annotation *told = log->annotations->pdata[i];
        const char *digest = told->values[ANNOTATION_STATEMENT];
        g_autoptr(GBytes) sealed =
            digest != NULL ? recording_read_statement(recording, digest, error) : NULL;

        if (digest == NULL ||
            (sealed != NULL && opens(recording_manifest(recording), sealed, identities)))
            continue;
        if (sealed != NULL) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "the statement of annotation %u does not open with the session's new keys: "
                        "nothing of before is removed",
                        told->number);
        }
        return false;
    }
    return true;
}
