#include "crypto/crypto_error.h"
#include "storage/annotation_log.h"
#include "storage/dir_store.h"
#include "storage/erasure.h"
#include "storage/object_key.h"
#include "storage/recording.h"
#include "storage/repair.h"
#include "tests/fakes/reseal_bench.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <string.h>

/* Returns: the codes of what verify finds, each once, with spaces; owned. */
static char *
codes(const ResealBench *self)
{
    g_autoptr(Recording) recording =
        recording_open(self->store, "clinic-a", "visit-1", visit_keys_trust(), NULL);
    g_autoptr(GPtrArray) findings = recording_verify(recording, NULL, NULL);
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        g_test_message("%s: %s", finding->code, finding->message);
        if (strstr(all->str, finding->code) == NULL)
            g_string_append_printf(all, "%s ", finding->code);
    }
    return g_strdup(all->str);
}

static void
assert_codes(const ResealBench *self, const char *wanted)
{
    g_autofree char *found = codes(self);

    g_assert_cmpstr(found, ==, wanted);
}

static void
test_whole_and_who_proves_what(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();
    g_autoptr(Recording) recording = NULL;
    g_autofree char *sentence = NULL;
    const ManifestPart *manifest = NULL;

    reseal_bench_put_note(bench, visit_keys_signer());
    reseal_bench_remove_old(bench);
    assert_codes(bench, "");

    recording = recording_open(bench->store, "clinic-a", "visit-1", visit_keys_trust(), NULL);
    sentence = reseal_chain_describe(recording_resealed(recording));
    g_assert_cmpstr(sentence, ==,
                    "sealed anew on 2026-11-29 by unix:ann: the recorder's signature covers what "
                    "unix:ann read; unix:ann's covers what is stored");
    manifest = recording_manifest(recording);
    g_assert_cmpstr(((const ManifestTrack *) manifest->tracks->pdata[0])->recipient, ==,
                    "age1new-p1-audio");
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *segment = manifest->segments->pdata[i];
        g_autoptr(GBytes) sealed = recording_read_segment(recording, segment, NULL);

        g_assert_true(g_str_has_prefix(segment->object, "r2/t"));
        g_assert_nonnull(sealed);
    }
}

static void
test_what_is_left_of_before_is_named(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();

    reseal_bench_put_note(bench, visit_keys_signer());
    assert_codes(bench, "reseal-unfinished ");
}

/* An annotation knows of the note. */
static void
test_a_note_that_was_taken_away_is_missed(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();
    const AnnotationWriter writer = {
        .store = bench->store, .signer = visit_keys_signer(), .verifiers = visit_keys_verifiers()};
    g_autoptr(Annotation) begun = annotation_new("clinic-a", "visit-1", ANNOTATION_RESEAL_BEGUN);
    g_autoptr(Annotation) ended = annotation_new("clinic-a", "visit-1", ANNOTATION_RESEALED);
    g_autofree char *found = NULL;

    begun->by = g_strdup("unix:ann");
    annotation_set(begun, ANNOTATION_REASON, "key-compromised");
    annotation_set(begun, ANNOTATION_GENERATION, "2");
    annotation_set(begun, ANNOTATION_AGAINST, "9070eb924f1c2d3e");
    g_assert_true(annotation_log_add(&writer, begun, NULL));
    ended->by = g_strdup("unix:ann");
    annotation_set(ended, ANNOTATION_GENERATION, "2");
    annotation_set(ended, ANNOTATION_CERTIFICATE,
                   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    g_assert_true(annotation_log_add(&writer, ended, NULL));

    found = codes(bench);
    g_assert_nonnull(strstr(found, "reseal-missing"));
}

/* Before its note is put nothing of it counts; what a run has put by then is not foreign. */
static void
test_before_the_note_the_old_counts(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();
    const AnnotationWriter writer = {
        .store = bench->store, .signer = visit_keys_signer(), .verifiers = visit_keys_verifiers()};
    g_autoptr(Annotation) begun = annotation_new("clinic-a", "visit-1", ANNOTATION_RESEAL_BEGUN);

    assert_codes(bench, "object-foreign ");
    begun->by = g_strdup("unix:ann");
    annotation_set(begun, ANNOTATION_REASON, "key-compromised");
    annotation_set(begun, ANNOTATION_GENERATION, "2");
    annotation_set(begun, ANNOTATION_AGAINST, "9070eb924f1c2d3e");
    g_assert_true(annotation_log_add(&writer, begun, NULL));
    assert_codes(bench, "reseal-unfinished ");
}

static void
test_a_stranger_replaces_nothing(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();
    g_autoptr(NoteSigner) stranger = note_signer_generate("admin", NULL);
    g_autofree char *found = NULL;

    reseal_bench_put_note(bench, stranger);
    found = codes(bench);
    g_assert_nonnull(strstr(found, "reseal-signature"));
    reseal_bench_remove_old(bench);
    g_free(found);
    found = codes(bench);
    g_assert_nonnull(strstr(found, "object-missing"));
}

static void
on_note_of_another_session(ResealNote *note)
{
    g_free(note->session);
    note->session = g_strdup("visit-2");
}

static void
on_other_manifest(ResealNote *note)
{
    note->manifest.bytes[0] ^= 1;
}

static void
on_other_segment(ResealNote *note)
{
    ((ResealSegment *) note->segments->pdata[3])->before.bytes[31] ^= 1;
}

static void
on_other_track(ResealNote *note)
{
    ResealTrack *row = note->tracks->pdata[0];

    g_free(row->before);
    row->before = g_strdup("age1other");
}

static void
on_left_out(ResealNote *note)
{
    g_ptr_array_remove_index(note->segments, 4);
}

static void
on_invented(ResealNote *note)
{
    ResealSegment row = *(const ResealSegment *) note->segments->pdata[0];

    row.index = 99;
    reseal_note_add_segment(note, &row);
}

static void
on_twice(ResealNote *note)
{
    reseal_note_add_segment(note, note->segments->pdata[0]);
}

static void
on_wrong_bytes(ResealNote *note)
{
    ((ResealSegment *) note->segments->pdata[0])->now.bytes[0] ^= 1;
}

static void
on_wrong_past(ResealNote *note)
{
    ((ResealPast *) note->pasts->pdata[0])->digest.bytes[0] ^= 1;
}

/* A note that the right key signed, and that is wrong all the same. */
static const struct {
    void (*change)(ResealNote *note);
    const char *code;
} wrong[] = {
    {on_note_of_another_session, "reseal-misplaced"},
    {on_other_manifest,          "reseal-mismatch" },
    {on_other_segment,           "reseal-mismatch" },
    {on_other_track,             "reseal-mismatch" },
    {on_left_out,                "reseal-mismatch" },
    {on_invented,                "reseal-mismatch" },
    {on_twice,                   "reseal-mismatch" },
    {on_wrong_bytes,             "segment-changed" },
    {on_wrong_past,              "past-changed"    },
};

static void
test_a_wrong_note_is_named(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(ResealBench) bench = reseal_bench_new();
        g_autofree char *found = NULL;

        wrong[i].change(bench->note);
        reseal_bench_put_note(bench, visit_keys_signer());
        reseal_bench_remove_old(bench);
        found = codes(bench);

        g_test_message("%zu: %s", i, wrong[i].code);
        g_assert_nonnull(strstr(found, wrong[i].code));
    }
}

static void
test_what_was_changed_since_is_named(void)
{
    static const struct {
        const char *object, *code;
    } rows[] = {
        {"resealed/1.note",       "reseal-signature"},
        {"r2/tp1-audio/0-0.past", "past-changed"    },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(ResealBench) bench = reseal_bench_new();
        g_autofree char *found = NULL;

        reseal_bench_put_note(bench, visit_keys_signer());
        reseal_bench_remove_old(bench);
        reseal_bench_flip_byte(bench, rows[i].object);
        found = codes(bench);
        g_assert_nonnull(strstr(found, rows[i].code));
    }
}

/* Nor may a note be followed by one whose names are the same: they would count as replaced. */
static void
test_a_second_note_of_the_same_generation_is_refused(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();
    g_autofree char *key = object_key_reseal("clinic-a", "visit-1", 1);
    g_autoptr(GBytes) first = NULL;

    reseal_bench_put_note(bench, visit_keys_signer());
    reseal_bench_remove_old(bench);
    first = object_store_get(bench->store, key, NULL);
    bench->note->number = 2;
    bench->note->has_previous = true;
    bench->note->previous = digest_of_bytes(first);
    reseal_bench_put_note(bench, visit_keys_signer());
    assert_codes(bench, "reseal-misplaced ");
}

/* A name costs nothing: looking at it must not, either. */
static void
test_an_envelope_of_a_high_number_is_soon_found(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();
    g_autofree char *key = object_key_join("clinic-a", "visit-1", "env/4294967295.age");
    g_autoptr(GBytes) junk = g_bytes_new_static("junk", 4);

    reseal_bench_put_note(bench, visit_keys_signer());
    reseal_bench_remove_old(bench);
    g_assert_true(object_store_put(bench->store, key, junk, NULL));
    assert_codes(bench, "envelope-malformed envelope-missing ");
}

static void
test_an_erasure_takes_all(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();
    const ErasureOrder order = {.store = bench->store,
                                .signer = visit_keys_signer(),
                                .annotators = visit_keys_verifiers(),
                                .recorders = visit_keys_verifiers(),
                                .org = "clinic-a",
                                .session = "visit-1",
                                .by = "unix:retain",
                                .software = "sealtape/test",
                                .reason = "retention"};
    g_auto(ErasureResult) result = {0};
    g_autoptr(GPtrArray) left = NULL;
    GError *error = NULL;

    /* What is left of before goes with it. */
    reseal_bench_put_note(bench, visit_keys_signer());
    g_assert_true(erasure_run(&order, &result, &error));
    g_assert_no_error(error);
    left = object_store_list(bench->store, "clinic-a/visit-1/", NULL);
    for (guint i = 0; i < left->len; i++)
        g_assert_true(g_str_has_prefix(left->pdata[i], "clinic-a/visit-1/notes/"));
    assert_codes(bench, "");
}

static void
on_object(const char *relative, RepairOutcome outcome, const char *detail, void *user_data)
{
    unsigned *counts = user_data;

    g_test_message("%s: %d %s", relative, (int) outcome, detail);
    counts[outcome]++;
}

/* A replica that lacks it all gets what is stored now, and nothing of before. */
static void
test_repair_gives_back_what_is_now(void)
{
    g_autoptr(ResealBench) bench = reseal_bench_new();
    g_autofree char *path = g_build_filename(bench->catalogue->spool->root, "other", NULL);
    g_autoptr(ObjectStore) other = NULL;
    g_autoptr(GPtrArray) sources =
        g_ptr_array_new_with_free_func((GDestroyNotify) repair_source_free);
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GPtrArray) copies = NULL;
    unsigned counts[REPAIR_ERASED + 1] = {0};
    RepairRequest request = {.verifiers = visit_keys_verifiers(),
                             .annotators = visit_keys_verifiers(),
                             .sources = sources,
                             .on_object = on_object,
                             .user_data = counts};

    reseal_bench_put_note(bench, visit_keys_signer());
    reseal_bench_remove_old(bench);
    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
    other = dir_store_open(path, NULL);
    request.store = other;
    g_ptr_array_add(sources, repair_source_new_store("a", bench->store));
    g_assert_true(repair_session(&request, "clinic-a", "visit-1", NULL));

    keys = object_store_list(bench->store, "clinic-a/", NULL);
    copies = object_store_list(other, "clinic-a/", NULL);
    g_assert_cmpuint(keys->len, ==, copies->len);
    g_assert_cmpuint(counts[REPAIR_DONE], ==, keys->len);
    g_assert_cmpuint(counts[REPAIR_LACKING] + counts[REPAIR_FAILED], ==, 0);
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/recording-reseal/whole-and-who-proves-what", test_whole_and_who_proves_what);
    g_test_add_func("/recording-reseal/what-is-left-of-before-is-named",
                    test_what_is_left_of_before_is_named);
    g_test_add_func("/recording-reseal/a-note-that-was-taken-away-is-missed",
                    test_a_note_that_was_taken_away_is_missed);
    g_test_add_func("/recording-reseal/before-the-note-the-old-counts",
                    test_before_the_note_the_old_counts);
    g_test_add_func("/recording-reseal/a-stranger-replaces-nothing",
                    test_a_stranger_replaces_nothing);
    g_test_add_func("/recording-reseal/a-wrong-note-is-named", test_a_wrong_note_is_named);
    g_test_add_func("/recording-reseal/what-was-changed-since-is-named",
                    test_what_was_changed_since_is_named);
    g_test_add_func("/recording-reseal/a-second-note-of-the-same-generation-is-refused",
                    test_a_second_note_of_the_same_generation_is_refused);
    g_test_add_func("/recording-reseal/an-envelope-of-a-high-number-is-soon-found",
                    test_an_envelope_of_a_high_number_is_soon_found);
    g_test_add_func("/recording-reseal/an-erasure-takes-all", test_an_erasure_takes_all);
    g_test_add_func("/recording-reseal/repair-gives-back-what-is-now",
                    test_repair_gives_back_what_is_now);
    status = g_test_run();
    visit_keys_free();
    return status;
}
