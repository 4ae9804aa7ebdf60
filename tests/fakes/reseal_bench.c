#include "tests/fakes/reseal_bench.h"

#include "crypto/age_file.h"
#include "storage/object_key.h"
#include "storage/recording.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <string.h>

static void
put(ObjectStore *store, const char *relative, GBytes *body)
{
    g_autofree char *key = object_key_join("clinic-a", "visit-1", relative);
    GError *error = NULL;

    g_assert_true(object_store_put(store, key, body, &error));
    g_assert_no_error(error);
}

static GBytes *
get(ObjectStore *store, const char *relative)
{
    g_autofree char *key = object_key_join("clinic-a", "visit-1", relative);

    return object_store_get(store, key, NULL);
}

static void
remove_object(const ResealBench *self, const char *relative)
{
    g_autofree char *path =
        g_build_filename(self->catalogue->spool->store_path, "clinic-a", "visit-1", relative, NULL);

    g_assert_cmpint(g_unlink(path), ==, 0);
}

void
reseal_bench_flip_byte(const ResealBench *self, const char *relative)
{
    g_autofree char *path =
        g_build_filename(self->catalogue->spool->store_path, "clinic-a", "visit-1", relative, NULL);
    g_autofree char *bytes = NULL;
    gsize n_bytes = 0;

    g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    bytes[n_bytes / 2] ^= 1;
    g_assert_true(g_file_set_contents(path, bytes, (gssize) n_bytes, NULL));
}

static Digest
put_envelope(ObjectStore *store, uint32_t generation)
{
    g_autofree char *relative = g_strdup_printf("env/%u.age", generation);
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "visit-1", generation);
    g_autoptr(AgeIdentity) identity = age_identity_generate(NULL);
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(GBytes) sealed = NULL;

    g_ptr_array_add(recipients, age_identity_recipient(identity));
    sealed = age_file_seal(recipients, context, &(struct iovec){(void *) "keys", 4}, 1, NULL);
    put(store, relative, sealed);
    return digest_of_bytes(sealed);
}

static void
add_segment(ResealBench *self, const ManifestSegment *segment)
{
    g_autofree char *object = g_strdup_printf("r2/%s", segment->object);
    g_autoptr(GBytes) there = get(self->store, object);
    g_autoptr(GBytes) body = get(self->store, segment->object);
    const ResealSegment row = {.track = segment->track,
                               .part = segment->part,
                               .index = segment->index,
                               .before = segment->digest,
                               .now = segment->digest,
                               .object = object,
                               .offset = segment->offset,
                               .length = segment->length};

    reseal_note_add_segment(self->note, &row);
    if (there == NULL) {
        g_autofree char *stem = g_strndup(object, strlen(object) - strlen(".tape"));
        g_autofree char *past = g_strconcat(stem, ".past", NULL);
        const ResealPast named = {past, digest_of_bytes(body)};

        put(self->store, object, body);
        put(self->store, past, body);
        reseal_note_add_past(self->note, &named);
    }
}

/* Puts what `self->note` will name, and makes it. */
static void
make_note(ResealBench *self)
{
    g_autoptr(Recording) recording =
        recording_open(self->store, "clinic-a", "visit-1", visit_keys_trust(), NULL);
    const ManifestPart *manifest = recording_manifest(recording);
    g_autoptr(GBytes) old_envelope = get(self->store, "env/1.age");
    g_autoptr(GBytes) last = get(self->store, "manifest/2.note");
    const ResealEnvelope gone = {1, digest_of_bytes(old_envelope)};

    self->note = reseal_note_new("clinic-a", "visit-1");
    self->note->number = 1;
    self->note->n_parts = 2;
    self->note->manifest = digest_of_bytes(last);
    self->note->at_unix_s = 1795978800; /* 2026-11-29T19:00:00Z */
    self->note->by = g_strdup("unix:ann");
    self->note->software = g_strdup("sealtape/test");
    self->note->against = g_strdup("9070eb924f1c2d3e");
    self->note->envelope = (ResealEnvelope){2, put_envelope(self->store, 2)};
    g_array_append_val(self->note->gone, gone);
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];
        g_autofree char *now = g_strconcat("age1new-", track->id, NULL);
        const ResealTrack row = {track->id, track->recipient, now};

        reseal_note_add_track(self->note, &row);
    }
    for (guint i = 0; i < manifest->segments->len; i++)
        add_segment(self, manifest->segments->pdata[i]);
}

void
reseal_bench_put_note(const ResealBench *self, const NoteSigner *signer)
{
    g_autofree char *text = reseal_note_to_text(self->note);
    char *note = note_sign(signer, text);
    g_autoptr(GBytes) body = g_bytes_new_take(note, strlen(note));
    g_autofree char *relative = g_strdup_printf("resealed/%u.note", self->note->number);

    put(self->store, relative, body);
}

void
reseal_bench_remove_old(const ResealBench *self)
{
    static const char *const old[] = {"env/1.age", "tp1-audio/0-0.tape", "tp1-audio/0-3.tape",
                                      "tp1-video/0-0.tape", "tp1-video/0-3.tape"};

    for (size_t i = 0; i < G_N_ELEMENTS(old); i++)
        remove_object(self, old[i]);
}

ResealBench *
reseal_bench_new(void)
{
    ResealBench *self = g_new0(ResealBench, 1);
    g_autoptr(GPtrArray) notes = NULL;

    self->catalogue = catalogue_fixture_new();
    notes = catalogue_fixture_record(self->catalogue, "visit-1");
    self->store = self->catalogue->store;
    make_note(self);
    return self;
}

void
reseal_bench_free(ResealBench *self)
{
    reseal_note_free(self->note);
    catalogue_fixture_free(self->catalogue);
    g_free(self);
}
