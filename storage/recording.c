#include "storage/recording.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/signed_note.h"
#include "storage/object_key.h"
#include "storage/object_numbers.h"
#include "storage/recording_check.h"
#include "storage/recording_private.h"
#include "storage/storage_error.h"

#include <string.h>

/* Opening: every part that lies in `manifest/` is read, in order of its number, and checked:
 * signature, form, place, and that it follows the part before it. What fails is a finding; the rest
 * is merged. */

typedef struct {
    char *relative;
    GBytes *bytes;
} Body;

static void
free_body(void *data)
{
    Body *body = data;

    g_free(body->relative);
    g_bytes_unref(body->bytes);
    g_free(body);
}

void
recording_finding_free(RecordingFinding *self)
{
    if (self == NULL)
        return;
    g_free(self->code);
    g_free(self->message);
    g_free(self);
}

GPtrArray *
recording_new_findings(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify) recording_finding_free);
}

void
recording_add_finding(GPtrArray *findings, const char *code, const char *format, ...)
{
    RecordingFinding *finding = g_new0(RecordingFinding, 1);
    va_list arguments;

    va_start(arguments, format);
    finding->code = g_strdup(code);
    finding->message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(findings, finding);
}

/* What is known of the part before. */
typedef struct {
    uint32_t number; /* 0: none yet */
    Digest digest;
    bool is_last; /* it said closed, interrupted or amended */
} Chain;

static ManifestPart *
read_part(Recording *self, uint32_t number, GBytes *note, GPtrArray *verifiers)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = note_open(bytes, n_bytes, verifiers, &error);
    ManifestPart *part = NULL;

    if (text == NULL) {
        recording_add_finding(self->findings, "manifest-signature",
                              "part %u of the manifest (%u.note) is not genuine: %s", number,
                              number, error->message);
        return NULL;
    }
    part = manifest_part_parse(text, &error);
    if (part == NULL) {
        recording_add_finding(self->findings, "manifest-malformed",
                              "part %u of the manifest (%u.note) can not be read: %s", number,
                              number, error->message);
    }
    return part;
}

static bool
is_in_place(Recording *self, uint32_t number, const ManifestPart *part)
{
    if (part->number == number && strcmp(part->org, self->org) == 0 &&
        strcmp(part->session, self->session) == 0)
        return true;
    recording_add_finding(
        self->findings, "manifest-misplaced",
        "part %u of the manifest (%u.note) says it is part %u of session %s of organisation %s",
        number, number, part->number, part->session, part->org);
    return false;
}

static void
check_chain(Recording *self, uint32_t number, const ManifestPart *part, const Chain *chain)
{
    const bool is_amendment = part->state == SESSION_AMENDED;

    if (chain->is_last && !is_amendment) {
        recording_add_finding(self->findings, "manifest-order",
                              "part %u of the manifest follows part %u, which ended the session",
                              number, chain->number);
    } else if (is_amendment && !chain->is_last) {
        recording_add_finding(self->findings, "manifest-order",
                              "part %u of the manifest amends a session that had not ended",
                              number);
    }
    if (is_amendment && !recording_is_amendment(part)) {
        recording_add_finding(self->findings, "manifest-order",
                              "part %u of the manifest amends the session with more than a text",
                              number);
    }
    if (number == 1 ? part->has_previous : !part->has_previous) {
        recording_add_finding(self->findings, "manifest-order",
                              "part %u of the manifest %s a part before it", number,
                              number == 1 ? "names" : "does not name");
    } else if (number > 1 && chain->number == number - 1 &&
               !digest_equal(&part->previous, &chain->digest)) {
        recording_add_finding(self->findings, "manifest-order",
                              "part %u of the manifest does not follow the part %u that lies here",
                              number, number - 1);
    }
}

/* Takes the rows of `part`, which is empty then. */
static void
merge(ManifestPart *all, ManifestPart *part)
{
    GPtrArray **const to[] = {&all->policies, &all->marks,  &all->tracks, &all->segments,
                              &all->gaps,     &all->clocks, &all->ends,   &all->counts};
    GPtrArray **const from[] = {&part->policies, &part->marks,  &part->tracks, &part->segments,
                                &part->gaps,     &part->clocks, &part->ends,   &part->counts};

    all->number = part->number;
    /* How the session ended stays what it was. */
    if (part->state != SESSION_AMENDED)
        all->state = part->state;
    for (size_t i = 0; i < G_N_ELEMENTS(to); i++) {
        g_ptr_array_extend_and_steal(*to[i], *from[i]);
        *from[i] = g_ptr_array_new();
    }
}

static void
report_missing(Recording *self, uint32_t first, uint32_t next)
{
    if (first + 1 == next) {
        recording_add_finding(self->findings, "manifest-missing",
                              "part %u of the manifest (%u.note) is missing", first, first);
    } else if (first < next) {
        recording_add_finding(self->findings, "manifest-missing",
                              "parts %u to %u of the manifest (%u.note to %u.note) are missing",
                              first, next - 1, first, next - 1);
    }
}

static void
take_part(Recording *self, uint32_t number, GPtrArray *verifiers, Chain *chain)
{
    g_autofree char *key = object_key_manifest(self->org, self->session, number);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) note = object_store_get(self->store, key, &error);
    g_autoptr(ManifestPart) part = NULL;

    report_missing(self, chain->number + 1, number);
    if (note == NULL) {
        recording_add_finding(self->findings, "manifest-missing",
                              "part %u of the manifest (%u.note) can not be read: %s", number,
                              number, error->message);
        chain->number = number;
        return;
    }
    part = read_part(self, number, note, verifiers);
    if (part != NULL && is_in_place(self, number, part)) {
        check_chain(self, number, part, chain);
        chain->is_last = part->state != SESSION_OPEN;
        merge(self->manifest, part);
    }
    chain->number = number;
    chain->digest = digest_of_bytes(note);
    g_hash_table_insert(self->parts, GUINT_TO_POINTER(number),
                        g_memdup2(&chain->digest, sizeof chain->digest));
}

/* `n_resealed`: the highest number of a note on its sealing anew. Returns: the numbers of the parts
 * that lie there, ascending. Names that are none are found as foreign. */
static GArray *
list_parts(Recording *self, uint32_t *n_resealed, GError **error)
{
    g_autofree char *prefix = object_key_join(self->org, self->session, "");
    g_autoptr(GPtrArray) keys = object_store_list(self->store, prefix, error);

    self->is_bare = true;
    for (guint i = 0; keys != NULL && i < keys->len; i++) {
        const char *relative = (const char *) g_ptr_array_index(keys, i) + strlen(prefix);

        self->is_bare = self->is_bare && g_str_has_prefix(relative, "notes/");
    }
    if (keys != NULL && keys->len > 0) {
        *n_resealed = object_numbers_newest(keys, prefix, "resealed", ".note");
        return object_numbers_list(keys, prefix, "manifest", ".note");
    }
    if (keys != NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                    "the store has no session %s of organisation %s", self->session, self->org);
    }
    return NULL;
}

static bool
are_ids(const char *org, const char *session, GError **error)
{
    if (age_context_id_is_valid(org) && age_context_id_is_valid(session))
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "the store has no session %s",
                session);
    return false;
}

Recording *
recording_open(ObjectStore *store, const char *org, const char *session,
               const RecordingTrust *trust, GError **error)
{
    GPtrArray *annotators = trust->annotators != NULL ? trust->annotators : trust->recorders;
    g_autoptr(Recording) self = NULL;
    g_autoptr(GArray) numbers = NULL;
    Chain chain = {0};
    uint32_t n_resealed = 0;

    if (!are_ids(org, session, error))
        return NULL;
    self = g_new0(Recording, 1);
    self->store = store;
    self->annotators = g_ptr_array_ref(annotators);
    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->manifest = manifest_part_new(org, session, 0);
    self->parts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    self->findings = recording_new_findings();
    self->bodies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_body);
    numbers = list_parts(self, &n_resealed, error);
    if (numbers == NULL)
        return NULL;
    self->n_notes = numbers->len;
    if (numbers->len == 0) {
        recording_add_finding(self->findings, "manifest-missing",
                              "no part of the manifest is in the store");
    }
    for (guint i = 0; i < numbers->len; i++)
        take_part(self, g_array_index(numbers, uint32_t, i), trust->recorders, &chain);
    self->last = chain.digest;
    recording_take_resealed(self, n_resealed);
    return g_steal_pointer(&self);
}

char *
recording_find_org(ObjectStore *store, const char *session, GError **error)
{
    g_autoptr(GPtrArray) orgs = NULL;

    if (age_context_id_is_valid(session)) {
        orgs = object_store_list_folders(store, "", error);
    } else {
        (void) are_ids("", session, error);
    }
    for (guint i = 0; orgs != NULL && i < orgs->len; i++) {
        const char *org = g_ptr_array_index(orgs, i);
        g_autofree char *prefix = g_strdup_printf("%s/%s/", org, session);
        g_autoptr(GPtrArray) keys = NULL;

        if (!age_context_id_is_valid(org))
            continue;
        keys = object_store_list(store, prefix, error);
        if (keys == NULL)
            return NULL;
        if (keys->len > 0)
            return g_strdup(org);
    }
    if (orgs != NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "the store has no session %s",
                    session);
    }
    return NULL;
}

const ManifestPart *
recording_manifest(const Recording *self)
{
    return self->manifest;
}

GBytes *
recording_read_object(Recording *self, const char *track, const char *relative, GError **error)
{
    Body *body = g_hash_table_lookup(self->bodies, track);
    g_autofree char *key = NULL;
    GBytes *bytes = NULL;

    if (body != NULL && strcmp(body->relative, relative) == 0)
        return body->bytes;
    key = object_key_join(self->org, self->session, relative);
    bytes = object_store_get(self->store, key, error);
    if (bytes == NULL)
        return NULL;
    body = g_new0(Body, 1);
    body->relative = g_strdup(relative);
    body->bytes = bytes;
    g_hash_table_replace(self->bodies, g_strdup(track), body);
    return bytes;
}

GBytes *
recording_read_segment(Recording *self, const ManifestSegment *segment, GError **error)
{
    GBytes *object = recording_read_object(self, segment->track, segment->object, error);
    const uint64_t n_bytes = object == NULL ? 0 : g_bytes_get_size(object);
    g_autoptr(GBytes) sealed = NULL;
    Digest digest;

    if (object == NULL)
        return NULL;
    if (segment->offset <= n_bytes && segment->length <= n_bytes - segment->offset) {
        sealed = g_bytes_new_from_bytes(object, segment->offset, segment->length);
        digest = digest_of_bytes(sealed);
        if (digest_equal(&digest, &segment->digest))
            return g_steal_pointer(&sealed);
    }
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "segment %u of track %s part %u is not what was recorded (in %s)", segment->index,
                segment->track, segment->part, segment->object);
    return NULL;
}

const uint8_t *
recording_peek_segment(const Recording *self, const ManifestSegment *segment, ObjectWindow **window)
{
    g_autofree char *key = object_key_join(self->org, self->session, segment->object);
    g_autoptr(GError) reason = NULL;
    const uint8_t *sealed = NULL;
    Digest digest;

    if (segment->length == 0 || segment->length > AGE_FILE_MAX_BYTES)
        return NULL;
    if (*window == NULL)
        *window = object_window_new(self->store);
    sealed = object_window_read(*window, key, segment->offset, segment->length, &reason);
    if (sealed == NULL)
        return NULL;
    digest = digest_of(sealed, segment->length);
    return digest_equal(&digest, &segment->digest) ? sealed : NULL;
}

void
recording_free(Recording *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->bodies);
    g_clear_pointer(&self->resealed, reseal_chain_free);
    g_hash_table_unref(self->parts);
    g_ptr_array_unref(self->findings);
    manifest_part_free(self->manifest);
    g_ptr_array_unref(self->annotators);
    g_free(self->org);
    g_free(self->session);
    g_free(self);
}
