#include "storage/object_key.h"
#include "storage/recording.h"
#include "storage/recording_private.h"
#include "storage/storage_error.h"

#include <string.h>

/* Of a session that was sealed anew: what of it lies there now, what may still lie there, and who
 * proves what. */

static void
on_fault(const char *code, const char *sentence, void *user_data)
{
    recording_add_finding(user_data, code, "%s", sentence);
}

/* The notes name the last part of the manifest that they stand on. */
static void
check_base(Recording *self)
{
    const GPtrArray *notes = reseal_chain_notes(self->resealed);

    for (guint i = 0; i < notes->len; i++) {
        const ResealNote *note = notes->pdata[i];
        const Digest *part =
            g_hash_table_lookup(self->parts, GUINT_TO_POINTER((guint) note->n_parts));

        if (part == NULL || !digest_equal(part, &note->manifest)) {
            recording_add_finding(self->findings, "reseal-mismatch",
                                  "note %u on its sealing anew stands on another part %u of the "
                                  "manifest than lies here",
                                  note->number, note->n_parts);
        }
    }
}

void
recording_take_resealed(Recording *self, uint32_t n_notes)
{
    const ResealReading reading = {self->annotators, on_fault, self->findings};

    self->resealed = reseal_chain_new(self->org, self->session);
    if (n_notes == 0)
        return;
    reseal_chain_read(self->resealed, self->store, n_notes, &reading);
    check_base(self);
    reseal_chain_apply(self->resealed, self->manifest, true, &reading);
}

const ResealChain *
recording_resealed(const Recording *self)
{
    return self->resealed;
}

/* Reads an object that must have the digest `wanted`. */
static GBytes *
read_named(const Recording *self, const char *relative, const Digest *wanted, GError **error)
{
    g_autofree char *key = object_key_join(self->org, self->session, relative);
    g_autoptr(GBytes) sealed = object_store_get(self->store, key, error);
    Digest found;

    if (sealed == NULL)
        return NULL;
    found = digest_of_bytes(sealed);
    if (digest_equal(&found, wanted))
        return g_steal_pointer(&sealed);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "it does not hold the bytes that were signed for");
    return NULL;
}

GBytes *
recording_read_statement(const Recording *self, const char *digest, GError **error)
{
    Digest wanted = {{0}};
    g_autofree char *relative = reseal_chain_statement(self->resealed, digest, &wanted);

    return read_named(self, relative, &wanted, error);
}

GBytes *
recording_read_past(const Recording *self, const ResealPast *past, GError **error)
{
    GBytes *sealed = read_named(self, past->object, &past->digest, error);

    if (sealed == NULL)
        g_prefix_error(error, "%s: ", past->object);
    return sealed;
}

/* --- verifying --- */

static void
read_past(const Recording *self, const ResealPast *row, GPtrArray *findings)
{
    g_autofree char *key = object_key_join(self->org, self->session, row->object);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = object_store_get(self->store, key, &error);
    Digest digest;

    if (body == NULL) {
        recording_add_finding(
            findings, "past-unreadable",
            "%s, by which the recorder's signature is proven, can not be read: %s", row->object,
            error->message);
        return;
    }
    digest = digest_of_bytes(body);
    if (!digest_equal(&digest, &row->digest)) {
        recording_add_finding(findings, "past-changed",
                              "%s, by which the recorder's signature is proven, does not hold the "
                              "bytes that were signed for",
                              row->object);
    }
}

/* What a recorder's object was made with: without it its signature is proven to nobody. */
static void
check_pasts(const Recording *self, const GHashTable *there, bool is_read, GPtrArray *findings)
{
    const GPtrArray *notes = reseal_chain_notes(self->resealed);
    const ResealNote *last = notes->len > 0 ? notes->pdata[notes->len - 1] : NULL;

    for (guint i = 0; last != NULL && i < last->pasts->len; i++) {
        const ResealPast *row = last->pasts->pdata[i];

        if (!g_hash_table_contains((GHashTable *) there, row->object)) {
            recording_add_finding(findings, "past-missing",
                                  "%s, by which the recorder's signature is proven, is missing",
                                  row->object);
        } else if (is_read) {
            read_past(self, row, findings);
        }
    }
}

/* Returns: whether it is of before, and should be gone: a lock keeps media alone. */
static bool
is_leaving(const Recording *self, const AnnotationView *view, const char *relative)
{
    return reseal_chain_has_replaced(self->resealed, relative) &&
           (view->resealed_locked_until == NULL || object_key_is_secret(relative));
}

/* Returns: whether it is of a sealing anew that was begun and has not come to its note. */
static bool
is_begun(const AnnotationView *view, const char *relative)
{
    g_autofree char *folder = NULL;

    if (view->reseal_generation == 0)
        return false;
    folder = g_strdup_printf("r%u/", view->reseal_generation);
    return g_str_has_prefix(relative, folder);
}

bool
recording_expects(const Recording *self, const AnnotationView *view, const char *relative)
{
    uint32_t number = 0;

    return object_key_parse_number(relative, "resealed", ".note", &number) ||
           reseal_chain_has_named(self->resealed, relative) ||
           reseal_chain_has_replaced(self->resealed, relative) || is_begun(view, relative);
}

/* An annotation names the newest note, so that it can not be taken away unseen. While a run is at
 * it there may be a newer one. */
static void
check_newest(const Recording *self, const AnnotationView *view, GPtrArray *findings)
{
    if (view->resealed == NULL || view->reseal_generation != 0 ||
        reseal_chain_ends_with(self->resealed, view->resealed))
        return;
    recording_add_finding(findings, "reseal-missing",
                          "an annotation says that it was sealed anew by note %s, which is not the "
                          "newest that lies here",
                          view->resealed);
}

void
recording_check_resealed(const Recording *self, const AnnotationView *view, const GPtrArray *keys,
                         bool is_read, GPtrArray *findings)
{
    g_autofree char *prefix = object_key_join(self->org, self->session, "");
    g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
    const char *first = NULL;
    unsigned n_left = 0;

    for (guint i = 0; i < keys->len; i++) {
        const char *relative = (const char *) keys->pdata[i] + strlen(prefix);

        g_hash_table_add(there, (char *) relative);
        if (!is_leaving(self, view, relative))
            continue;
        first = first != NULL ? first : relative;
        n_left++;
    }
    check_pasts(self, there, is_read, findings);
    check_newest(self, view, findings);
    if (n_left > 0) {
        recording_add_finding(findings, "reseal-unfinished",
                              "it was sealed anew, and %u of the objects of before are still "
                              "there, %s the first: `sealtape keys reencrypt` goes on with it",
                              n_left, first);
    } else if (view->reseal_generation != 0) {
        recording_add_finding(findings, "reseal-unfinished",
                              "its sealing anew was begun and has not ended: `sealtape keys "
                              "reencrypt` goes on with it");
    }
}
