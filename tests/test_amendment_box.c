#include "crypto/age_file.h"
#include "crypto/crypto_error.h"
#include "crypto/envelope.h"
#include "storage/amendment_box.h"
#include "storage/catalogue_entry.h"
#include "storage/object_key.h"
#include "storage/recording.h"
#include "storage/storage_error.h"
#include "storage/uploader.h"
#include "tests/fakes/flaky_store.h"
#include "tests/fakes/spool_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <string.h>

#define SESSION "visit-1"

static const char *const tracks[] = {"p1-audio", NULL};

/* A stored session, in a store that fails on command, and what is added to it. */
typedef struct {
    SpoolFixture *fixture;
    GHashTable *objects;
    ObjectStore *store;
    char *folder;
    AmendmentBox *box;
    unsigned n_stored;
} Bench;

static void
on_stored(const Amendment *amendment, void *user_data)
{
    Bench *bench = user_data;

    g_assert_cmpstr(amendment->session, ==, SESSION);
    bench->n_stored++;
}

static void
open_box(Bench *bench)
{
    const AmendmentBoxOptions options = {bench->folder, bench->store, on_stored, bench};
    GError *error = NULL;

    bench->box = amendment_box_open(&options, &error);
    g_assert_no_error(error);
}

static void
store_session(const Bench *bench, bool is_closed)
{
    g_autoptr(Spool) spool = spool_fixture_open(bench->fixture, 0);
    const UploaderOptions options = {
        .spool = spool, .store = bench->store, .signer = visit_keys_signer(), .interval_ms = 10};
    Uploader *uploader = NULL;

    spool_fixture_begin(spool, SESSION, tracks);
    for (uint32_t i = 0; i < 3; i++)
        spool_fixture_add(spool, SESSION, "p1-audio", i);
    if (is_closed)
        spool_fixture_close(spool, SESSION, tracks, 3000000);
    spool_fixture_commit(spool);
    uploader = uploader_new(&options);
    g_assert_true(uploader_drain(uploader, 20000));
    uploader_free(uploader);
    visit_keys_put_envelope(bench->store, SESSION);
}

static Bench *
bench_new(bool is_closed)
{
    Bench *bench = g_new0(Bench, 1);

    bench->fixture = spool_fixture_new();
    bench->objects = flaky_store_objects_new();
    bench->store = flaky_store_new(bench->objects);
    bench->folder = g_dir_make_tmp("amendments-XXXXXX", NULL);
    open_box(bench);
    store_session(bench, is_closed);
    return bench;
}

static void
bench_free(Bench *bench)
{
    amendment_box_free(bench->box);
    object_store_free(bench->store);
    g_hash_table_unref(bench->objects);
    g_assert_cmpint(g_rmdir(bench->folder), ==, 0); /* so nothing was left behind */
    g_free(bench->folder);
    spool_fixture_free(bench->fixture);
    g_free(bench);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, bench_free)

static GPtrArray *
verify(const Bench *bench)
{
    GError *error = NULL;
    g_autoptr(Recording) recording =
        recording_open(bench->store, "clinic-a", SESSION, visit_keys_trust(), &error);

    g_assert_no_error(error);
    return recording_verify(recording, NULL, NULL);
}

static void
assert_found(const Bench *bench, const char *code, const char *words)
{
    g_autoptr(GPtrArray) findings = verify(bench);

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = g_ptr_array_index(findings, i);

        g_test_message("%s: %s", finding->code, finding->message);
        if (strcmp(finding->code, code) == 0 && strstr(finding->message, words) != NULL)
            return;
    }
    g_test_message("expected %s: ...%s...", code, words);
    g_test_fail();
}

/* What is made of a text, and what a liar may make of it. */
typedef struct {
    Amendment amendment;
    char *track, *object;
} Text;

typedef struct {
    const char *kind;
    const char *state; /* in place of amended */
    const char *more;  /* a line behind the others */
} Lie;

static const Lie honest;

static char *
manifest_text(const Text *text, const char *recipient, const char *previous, const Lie *lie)
{
    const Digest digest = digest_of_bytes(text->amendment.sealed);
    g_autofree char *hex = digest_to_hex(&digest);

    return g_strdup_printf(
        "sealtape-manifest/v1\norg clinic-a\nsession " SESSION "\npart %u\nprev %s\nstate %s\n"
        "track %s %s webvtt everyone %s 1700000000000000 0\n"
        "seg %s 0 0 0 3000000 ke %s 0 %" G_GSIZE_FORMAT " %s\n%send %s 1 3000000\n",
        text->amendment.part, previous, lie->state != NULL ? lie->state : "amended", text->track,
        lie->kind != NULL ? lie->kind : "text", recipient, text->track, text->object,
        g_bytes_get_size(text->amendment.sealed), hex, lie->more != NULL ? lie->more : "",
        text->track);
}

static Text *
text_new(const Bench *bench, uint32_t part, uint32_t generation, const Lie *lie)
{
    Text *text = g_new0(Text, 1);
    g_autofree char *key = object_key_manifest("clinic-a", SESSION, part - 1);
    GBytes *before = g_hash_table_lookup(bench->objects, key);
    const Digest digest = digest_of_bytes(before);
    g_autofree char *previous = digest_to_hex(&digest);
    g_autoptr(EnvelopeBuilder) builder = envelope_builder_new("clinic-a", SESSION, generation);
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(AgeContext) context = NULL;
    g_autofree char *recipient = NULL;
    g_autofree char *signed_text = NULL;
    char *note = NULL;

    text->track = g_strdup_printf("transcript-%u", part);
    text->object = object_key_tape(text->track, 0, 0);
    context = age_context_new_segment("clinic-a", SESSION, text->track, 0, 0);
    recipient = envelope_builder_add_track(builder, text->track, NULL);
    g_ptr_array_add(recipients, age_recipient_parse(recipient, NULL));
    text->amendment =
        (Amendment){"clinic-a", SESSION, generation, NULL, text->object, NULL, part, NULL};
    text->amendment.envelope = envelope_builder_seal(builder, recipients, NULL);
    text->amendment.sealed =
        age_file_seal(recipients, context, &(struct iovec){(char *) "WEBVTT\n", 7}, 1, NULL);
    signed_text = manifest_text(text, recipient, previous, lie);
    note = note_sign(visit_keys_signer(), signed_text);
    text->amendment.note = g_bytes_new_take(note, strlen(note));
    return text;
}

static void
text_free(Text *text)
{
    g_bytes_unref(text->amendment.envelope);
    g_bytes_unref(text->amendment.sealed);
    g_bytes_unref(text->amendment.note);
    g_free(text->track);
    g_free(text->object);
    g_free(text);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Text, text_free)

static void
add(const Bench *bench, const Text *text, bool expects_stored)
{
    GError *error = NULL;
    bool is_stored = false;

    g_assert_true(amendment_box_add(bench->box, &text->amendment, &is_stored, &error));
    g_assert_no_error(error);
    g_assert_true(is_stored == expects_stored);
}

static void
test_adds_texts_to_what_has_ended(void)
{
    g_autoptr(Bench) bench = bench_new(true);
    g_autoptr(Text) first = text_new(bench, 2, 2, &honest);
    g_autoptr(Text) second = NULL;
    g_autoptr(Recording) recording = NULL;
    g_autoptr(GPtrArray) findings = NULL;

    add(bench, first, true);
    second = text_new(bench, 3, 3, &honest);
    add(bench, second, true);

    findings = verify(bench);
    g_assert_cmpuint(findings->len, ==, 0);
    g_assert_cmpuint(bench->n_stored, ==, 2);
    recording = recording_open(bench->store, "clinic-a", SESSION, visit_keys_trust(), NULL);
    g_assert_cmpint(recording_manifest(recording)->state, ==, SESSION_CLOSED);
    g_assert_cmpuint(recording_manifest(recording)->number, ==, 3);
    g_assert_cmpuint(recording_manifest(recording)->tracks->len, ==, 3);
}

/* The store takes each of the three one by one, or two of them, or nothing. */
static void
test_waits_for_the_store_and_goes_on(void)
{
    static const char *const refused[] = {"2.age", "0-0.tape", "2.note"};

    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(Bench) bench = bench_new(true);
        g_autoptr(Text) text = text_new(bench, 2, 2, &honest);
        g_autoptr(GPtrArray) findings = NULL;

        g_test_expect_message("sealtape-storage", G_LOG_LEVEL_WARNING, "*waits in*");
        flaky_store_aim(bench->store, refused[i]);
        flaky_store_fail(bench->store, 1, STORAGE_ERROR_TRANSIENT, i == 1);
        add(bench, text, false);
        g_test_assert_expected_messages();
        /* As after a crash. */
        amendment_box_free(bench->box);
        open_box(bench);

        g_assert_cmpuint(amendment_box_retry(bench->box), ==, 0);
        g_assert_cmpuint(bench->n_stored, ==, 1);
        findings = verify(bench);
        g_assert_cmpuint(findings->len, ==, 0);
    }
}

static void
test_yields_to_who_was_first(void)
{
    g_autoptr(Bench) bench = bench_new(true);
    g_autoptr(Text) first = text_new(bench, 2, 2, &honest);
    g_autoptr(Text) late = text_new(bench, 2, 2, &honest);
    g_autoptr(GPtrArray) findings = NULL;
    g_autoptr(GError) error = NULL;
    bool is_stored = false;

    add(bench, first, true);
    g_assert_false(amendment_box_add(bench->box, &late->amendment, &is_stored, &error));

    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT);
    findings = verify(bench);
    g_assert_cmpuint(findings->len, ==, 0);
}

static void
test_damaged_file_is_put_nowhere(void)
{
    g_autoptr(Bench) bench = bench_new(true);
    g_autofree char *path = g_build_filename(bench->folder, SESSION "-2", NULL);
    const guint n_before = g_hash_table_size(bench->objects);

    g_assert_true(
        g_file_set_contents(path, "thirty-two bytes that are no digest, and more", -1, NULL));
    g_test_expect_message("sealtape-storage", G_LOG_LEVEL_CRITICAL, "*is damaged*");
    g_assert_cmpuint(amendment_box_retry(bench->box), ==, 1);

    g_test_assert_expected_messages();
    g_assert_cmpuint(g_hash_table_size(bench->objects), ==, n_before);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

/* What a genuine key may not sign either. */
static void
test_verify_names_what_is_no_amendment(void)
{
    static const struct {
        Lie lie;
        const char *words;
    } rows[] = {
        {{"audio", NULL, NULL},                          "more than a text"       },
        {{NULL, NULL, "gap transcript-2 0 1000 loss\n"}, "more than a text"       },
        {{NULL, "closed", NULL},                         "which ended the session"},
        {{NULL, "open", NULL},                           "which ended the session"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Bench) bench = bench_new(true);
        g_autoptr(Text) text = text_new(bench, 2, 2, &rows[i].lie);

        add(bench, text, true);
        assert_found(bench, "manifest-order", rows[i].words);
    }
}

static void
test_verify_names_what_amends_a_running_session(void)
{
    g_autoptr(Bench) bench = bench_new(false);
    g_autoptr(Text) text = text_new(bench, 2, 2, &honest);

    add(bench, text, true);

    assert_found(bench, "manifest-order", "had not ended");
}

static void
test_verify_names_a_lost_text(void)
{
    g_autoptr(Bench) bench = bench_new(true);
    g_autoptr(Text) text = text_new(bench, 2, 2, &honest);

    add(bench, text, true);
    g_assert_true(
        g_hash_table_remove(bench->objects, "clinic-a/" SESSION "/ttranscript-2/0-0.tape"));
    assert_found(bench, "object-missing", "ttranscript-2/0-0.tape");

    /* The part itself gone: what it listed is still there. */
    g_assert_true(g_hash_table_remove(bench->objects, "clinic-a/" SESSION "/manifest/2.note"));
    g_hash_table_insert(bench->objects, g_strdup("clinic-a/" SESSION "/ttranscript-2/0-0.tape"),
                        g_bytes_ref(text->amendment.sealed));
    assert_found(bench, "object-foreign", "ttranscript-2/0-0.tape");
}

static void
add_to_entry(CatalogueEntry *entry, const Bench *bench, uint32_t number)
{
    g_autofree char *key = object_key_manifest("clinic-a", SESSION, number);
    GBytes *note = g_hash_table_lookup(bench->objects, key);
    const Digest digest = digest_of_bytes(note);
    g_autofree char *text = note_open(g_bytes_get_data(note, NULL), g_bytes_get_size(note),
                                      visit_keys_verifiers(), NULL);
    g_autoptr(ManifestPart) part = manifest_part_parse(text, NULL);
    GError *error = NULL;

    g_assert_true(catalogue_entry_add_part(entry, part, &digest, &error));
    g_assert_no_error(error);
}

static void
test_catalogue_takes_it_as_stored(void)
{
    g_autoptr(Bench) bench = bench_new(true);
    g_autoptr(Text) text = text_new(bench, 2, 2, &honest);
    g_autoptr(CatalogueEntry) entry = catalogue_entry_new("clinic-a", SESSION);

    add(bench, text, true);
    add_to_entry(entry, bench, 1);
    add_to_entry(entry, bench, 2);

    g_assert_cmpstr(entry->state, ==, "stored");
    g_assert_cmpuint(entry->n_parts, ==, 2);
    g_assert_cmpuint(entry->n_tracks, ==, 2);
}

int
main(int argc, char **argv)
{
    GError *error = NULL;
    int result = 0;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/amendment-box/adds-texts-to-what-has-ended",
                    test_adds_texts_to_what_has_ended);
    g_test_add_func("/amendment-box/waits-for-the-store-and-goes-on",
                    test_waits_for_the_store_and_goes_on);
    g_test_add_func("/amendment-box/yields-to-who-was-first", test_yields_to_who_was_first);
    g_test_add_func("/amendment-box/damaged-file-is-put-nowhere", test_damaged_file_is_put_nowhere);
    g_test_add_func("/amendment-box/verify-names-what-is-no-amendment",
                    test_verify_names_what_is_no_amendment);
    g_test_add_func("/amendment-box/verify-names-what-amends-a-running-session",
                    test_verify_names_what_amends_a_running_session);
    g_test_add_func("/amendment-box/verify-names-a-lost-text", test_verify_names_a_lost_text);
    g_test_add_func("/amendment-box/catalogue-takes-it-as-stored",
                    test_catalogue_takes_it_as_stored);
    result = g_test_run();
    visit_keys_free();
    return result;
}
