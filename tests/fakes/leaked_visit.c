#include "tests/fakes/leaked_visit.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/envelope.h"
#include "storage/annotation_log.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"
#include "tests/fakes/flaky_store.h"
#include "tests/fakes/visit_keys.h"

#include <string.h>

enum { SECOND_US = 1000000 };

static const char *const tracks[] = {"p1-audio", "p1-video"};

static void
put(LeakedVisit *self, const char *relative, GBytes *body)
{
    g_autofree char *key = object_key_join("clinic-a", "visit-1", relative);
    GError *error = NULL;

    g_assert_true(object_store_put(self->store, key, body, &error));
    g_assert_no_error(error);
}

GBytes *
leaked_visit_plain(const char *track, uint32_t index)
{
    g_autofree char *seed = g_strdup_printf("%s %u", track, index);
    Digest digest = digest_of(seed, strlen(seed));
    GByteArray *plain = g_byte_array_new();

    while (plain->len < LEAKED_VISIT_BYTES + index) {
        g_byte_array_append(plain, digest.bytes, sizeof digest.bytes);
        digest = digest_of(digest.bytes, sizeof digest.bytes);
    }
    return g_byte_array_free_to_bytes(plain);
}

static GPtrArray *
list_of(AgeIdentity *first, AgeIdentity *second)
{
    GPtrArray *list = g_ptr_array_new();

    g_ptr_array_add(list, first);
    if (second != NULL)
        g_ptr_array_add(list, second);
    return list;
}

static GPtrArray *
recipients_of(AgeIdentity *first, AgeIdentity *second)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);

    g_ptr_array_add(list, age_identity_recipient(first));
    if (second != NULL)
        g_ptr_array_add(list, age_identity_recipient(second));
    return list;
}

static GBytes *
seal(GPtrArray *recipients, AgeContext *context, GBytes *plain)
{
    GError *error = NULL;
    gsize n_bytes = 0;
    const void *bytes = g_bytes_get_data(plain, &n_bytes);
    GBytes *sealed =
        age_file_seal(recipients, context, &(struct iovec){(void *) bytes, n_bytes}, 1, &error);

    g_assert_no_error(error);
    age_context_free(context);
    return sealed;
}

static void
add_segment(ManifestPart *manifest, const char *track, uint32_t index, GBytes *sealed,
            uint64_t offset)
{
    ManifestSegment *row = g_new0(ManifestSegment, 1);

    row->track = g_strdup(track);
    row->index = index;
    row->start_us = (int64_t) index * SECOND_US;
    row->duration_us = SECOND_US;
    row->flags = index == 0 ? SEGMENT_FLAG_HEADER | SEGMENT_FLAG_KEYFRAME : SEGMENT_FLAG_KEYFRAME;
    row->object = object_key_tape(track, 0, index < 2 ? 0 : 2);
    row->offset = offset;
    row->length = g_bytes_get_size(sealed);
    row->digest = digest_of_bytes(sealed);
    g_ptr_array_add(manifest->segments, row);
}

/* Two segments in the first object, one in the second. */
static void
record_track(LeakedVisit *self, ManifestPart *manifest, const char *track, const char *recipient)
{
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    GByteArray *body = g_byte_array_new();

    g_ptr_array_add(recipients, age_recipient_parse(recipient, NULL));
    for (uint32_t i = 0; i < LEAKED_VISIT_SEGMENTS; i++) {
        g_autoptr(GBytes) plain = leaked_visit_plain(track, i);
        g_autoptr(GBytes) sealed =
            seal(recipients, age_context_new_segment("clinic-a", "visit-1", track, 0, i), plain);

        add_segment(manifest, track, i, sealed, body->len);
        g_byte_array_append(body, g_bytes_get_data(sealed, NULL), (guint) g_bytes_get_size(sealed));
        if (i > 0) {
            g_autoptr(GBytes) object = g_byte_array_free_to_bytes(body);
            g_autofree char *name = object_key_tape(track, 0, i < 2 ? 0 : 2);

            put(self, name, object);
            body = g_byte_array_new();
        }
    }
    g_byte_array_unref(body);
}

static void
add_track(ManifestPart *manifest, const char *id, const char *recipient)
{
    ManifestTrack *track = g_new0(ManifestTrack, 1);
    ManifestEnd *end = g_new0(ManifestEnd, 1);
    const bool is_text = g_str_has_suffix(id, "text");
    const bool is_audio = g_str_has_suffix(id, "audio");

    *track = (ManifestTrack){g_strdup(id),
                             g_strdup(is_text    ? MANIFEST_KIND_TEXT
                                      : is_audio ? "audio"
                                                 : "video"),
                             g_strdup(is_text    ? "webvtt"
                                      : is_audio ? "opus"
                                                 : "vp8"),
                             g_strdup("p1"),
                             g_strdup(recipient),
                             1795978800000000,
                             0};
    *end = (ManifestEnd){g_strdup(id), LEAKED_VISIT_SEGMENTS, LEAKED_VISIT_SEGMENTS * SECOND_US};
    g_ptr_array_add(manifest->tracks, track);
    g_ptr_array_add(manifest->ends, end);
}

static void
put_manifest(LeakedVisit *self, const ManifestPart *manifest)
{
    g_autofree char *text = manifest_part_to_text(manifest);
    char *note = note_sign(visit_keys_signer(), text);
    g_autoptr(GBytes) body = g_bytes_new_take(note, strlen(note));
    g_autofree char *relative = g_strdup_printf("manifest/%u.note", manifest->number);

    put(self, relative, body);
}

/* Sealed to the first track, and named by an annotation. */
static void
put_statement(LeakedVisit *self, const char *recipient)
{
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(GBytes) plain = g_bytes_new_static("it was the left knee", 20);
    g_autoptr(GBytes) sealed = NULL;
    g_autofree char *relative = NULL;
    Digest digest;

    g_ptr_array_add(recipients, age_recipient_parse(recipient, NULL));
    sealed = seal(recipients, age_context_new_statement("clinic-a", "visit-1", tracks[0]), plain);
    digest = digest_of_bytes(sealed);
    self->statement = digest_to_hex(&digest);
    relative = g_strdup_printf("said/%s.sealed", self->statement);
    put(self, relative, sealed);
    g_assert_true(
        leaked_visit_annotate(self, ANNOTATION_AMENDED, ANNOTATION_STATEMENT, self->statement));
}

static void
record(LeakedVisit *self)
{
    g_autoptr(GPtrArray) recipients = recipients_of(self->leaked, self->glass);
    g_autoptr(EnvelopeBuilder) envelope = envelope_builder_new("clinic-a", "visit-1", 1);
    g_autoptr(ManifestPart) manifest = manifest_part_new("clinic-a", "visit-1", 1);
    g_autoptr(GBytes) who = g_bytes_new_static("{}", 2);
    g_autoptr(GBytes) keys = NULL;
    g_autoptr(GBytes) meta = NULL;

    manifest->state = SESSION_CLOSED;
    for (size_t i = 0; i < G_N_ELEMENTS(tracks); i++) {
        g_autofree char *recipient = envelope_builder_add_track(envelope, tracks[i], NULL);

        add_track(manifest, tracks[i], recipient);
        record_track(self, manifest, tracks[i], recipient);
        if (i == 0)
            put_statement(self, recipient);
    }
    keys = envelope_builder_seal(envelope, recipients, NULL);
    put(self, "env/1.age", keys);
    meta = seal(recipients, age_context_new_meta("clinic-a", "visit-1"), who);
    put(self, "meta.age", meta);
    put_manifest(self, manifest);
}

void
leaked_visit_add_text(LeakedVisit *self, uint32_t generation, AgeIdentity *key)
{
    g_autoptr(GPtrArray) recipients = recipients_of(key, self->glass);
    g_autoptr(EnvelopeBuilder) envelope = envelope_builder_new("clinic-a", "visit-1", generation);
    g_autoptr(ManifestPart) manifest = manifest_part_new("clinic-a", "visit-1", 2);
    g_autofree char *recipient = envelope_builder_add_track(envelope, "p1-text", NULL);
    g_autofree char *name = g_strdup_printf("env/%u.age", generation);
    g_autofree char *first = object_key_manifest("clinic-a", "visit-1", 1);
    g_autoptr(GBytes) before = object_store_get(self->store, first, NULL);
    g_autoptr(GBytes) keys = envelope_builder_seal(envelope, recipients, NULL);

    manifest->state = SESSION_AMENDED;
    manifest->has_previous = true;
    manifest->previous = digest_of_bytes(before);
    add_track(manifest, "p1-text", recipient);
    record_track(self, manifest, "p1-text", recipient);
    put(self, name, keys);
    put_manifest(self, manifest);
}

GPtrArray *
leaked_visit_slip_envelope(LeakedVisit *self, uint32_t generation)
{
    g_autoptr(GPtrArray) recipients = recipients_of(self->fresh, self->glass);
    g_autoptr(EnvelopeBuilder) envelope = envelope_builder_new("clinic-a", "visit-1", generation);
    char *key = g_strdup_printf("clinic-a/visit-1/env/%u.age", generation);

    for (size_t i = 0; i < G_N_ELEMENTS(tracks); i++)
        g_free(envelope_builder_add_track(envelope, tracks[i], NULL));
    g_hash_table_insert(self->objects, key, envelope_builder_seal(envelope, recipients, NULL));
    return leaked_visit_envelope(self, generation, self->fresh);
}

LeakedVisit *
leaked_visit_new(void)
{
    LeakedVisit *self = g_new0(LeakedVisit, 1);
    g_autofree char *verifier_key = NULL;
    g_autoptr(AgeRecipient) leaked = NULL;

    self->kept = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    self->objects = flaky_store_objects_new();
    self->store = flaky_store_new(self->objects);
    self->leaked = age_identity_generate(NULL);
    self->fresh = age_identity_generate(NULL);
    self->fresher = age_identity_generate(NULL);
    self->glass = age_identity_generate(NULL);
    self->admin = note_signer_generate("admin", NULL);
    verifier_key = note_signer_verifier_key(self->admin);
    self->annotators = g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);
    g_ptr_array_add(self->annotators, note_verifier_parse(verifier_key, NULL));
    leaked = age_identity_recipient(self->leaked);
    self->against = age_seal_list_mark(age_recipient_text(leaked));
    record(self);
    return self;
}

static bool
add(void *user_data, Annotation *next, GError **error)
{
    LeakedVisit *self = user_data;
    const AnnotationWriter writer = {
        .store = self->store, .signer = self->admin, .verifiers = self->annotators};

    if (next->by == NULL)
        next->by = g_strdup("unix:ann");
    return annotation_log_add(&writer, next, error);
}

static ResealJob
job_of(LeakedVisit *self, ObjectStore *store, GPtrArray *recipients, GPtrArray *identities)
{
    return (ResealJob){
        .keys = {store != NULL ? store : self->store, recipients, identities},
        .trust = {visit_keys_verifiers(),                                   self->annotators                       },
        .signer = self->admin,
        .org = "clinic-a",
        .session = "visit-1",
        .against = self->against,
        .by = "unix:ann",
        .software = "sealtape/test",
        .annotate = add,
        .user_data = self,
    };
}

ResealJob
leaked_visit_job(LeakedVisit *self, ObjectStore *store)
{
    GPtrArray *recipients = recipients_of(self->fresh, self->glass);
    GPtrArray *identities = list_of(self->leaked, self->fresh);

    g_ptr_array_add(self->kept, recipients);
    g_ptr_array_add(self->kept, identities);
    return job_of(self, store, recipients, identities);
}

ResealJob
leaked_visit_second_job(LeakedVisit *self)
{
    GPtrArray *recipients = recipients_of(self->fresher, self->glass);
    GPtrArray *identities = list_of(self->fresh, self->fresher);
    g_autoptr(AgeRecipient) fresh = age_identity_recipient(self->fresh);

    g_ptr_array_add(self->kept, recipients);
    g_ptr_array_add(self->kept, identities);
    g_free(self->against);
    self->against = age_seal_list_mark(age_recipient_text(fresh));
    return job_of(self, NULL, recipients, identities);
}

bool
leaked_visit_annotate(LeakedVisit *self, AnnotationKind kind, AnnotationField field,
                      const char *value)
{
    g_autoptr(Annotation) next = annotation_new("clinic-a", "visit-1", kind);

    annotation_set(next, field, value);
    return add(self, next, NULL);
}

void
leaked_visit_free(LeakedVisit *self)
{
    object_store_free(self->store);
    g_hash_table_unref(self->objects);
    g_ptr_array_unref(self->kept);
    age_identity_free(self->leaked);
    age_identity_free(self->fresh);
    age_identity_free(self->fresher);
    age_identity_free(self->glass);
    note_signer_free(self->admin);
    g_ptr_array_unref(self->annotators);
    g_free(self->statement);
    g_free(self->against);
    g_free(self);
}
