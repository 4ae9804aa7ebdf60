#include "crypto/crypto_error.h"
#include "storage/recording.h"
#include "storage/storage_error.h"
#include "storage/uploader.h"
#include "tests/fakes/spool_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static const char *const two_tracks[] = {"p1-audio", "p1-video", NULL};
/* Uploads what the spool holds, and stops. */
static void
upload(const SpoolFixture *fixture, Spool *spool)
{
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    const UploaderOptions options = {
        .spool = spool, .store = store, .signer = visit_keys_signer(), .interval_ms = 10};
    Uploader *uploader = uploader_new(&options);

    g_assert_true(uploader_drain(uploader, 20000));
    uploader_free(uploader);
}

/* A store with a session of five segments on two tracks, in two manifest parts. */
static SpoolFixture *
stored_session(const char *session)
{
    SpoolFixture *fixture = spool_fixture_new();
    g_autoptr(Spool) spool = spool_fixture_open(fixture, 0);
    g_autoptr(ObjectStore) store = NULL;

    spool_fixture_begin(spool, session, two_tracks);
    for (uint32_t i = 0; i < 5; i++) {
        spool_fixture_add(spool, session, "p1-audio", i);
        spool_fixture_add(spool, session, "p1-video", i);
    }
    spool_fixture_commit(spool);
    upload(fixture, spool);
    spool_fixture_close(spool, session, two_tracks, 5000000);
    spool_fixture_commit(spool);
    upload(fixture, spool);
    store = spool_fixture_store(fixture);
    visit_keys_put_envelope(store, session);
    return fixture;
}

static GPtrArray *
verify(const SpoolFixture *fixture, const char *session)
{
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    GError *error = NULL;
    g_autoptr(Recording) recording =
        recording_open(store, "clinic-a", session, visit_keys_trust(), &error);
    GPtrArray *findings = NULL;

    g_assert_no_error(error);
    findings = recording_verify(recording, NULL, NULL);
    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = g_ptr_array_index(findings, i);

        g_test_message("%s: %s", finding->code, finding->message);
    }
    return findings;
}

static void
assert_found(const SpoolFixture *fixture, const char *code, const char *words)
{
    g_autoptr(GPtrArray) findings = verify(fixture, "visit-1");

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = g_ptr_array_index(findings, i);

        if (strcmp(finding->code, code) == 0 && strstr(finding->message, words) != NULL)
            return;
    }
    g_test_message("expected %s: ...%s...", code, words);
    g_test_fail();
}

static char *
path_of(const SpoolFixture *fixture, const char *relative)
{
    return g_build_filename(fixture->store_path, "clinic-a", "visit-1", relative, NULL);
}

static void
test_untouched_verifies(void)
{
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");
    g_autoptr(GPtrArray) findings = verify(fixture, "visit-1");

    g_assert_cmpuint(findings->len, ==, 0);
}

/* One thing done to the store, and how verify must name it. */
static const struct {
    const char *name, *from, *to; /* `from` NULL: flip a byte; `to` NULL: remove */
    const char *code, *words;
} tampers[] = {
    {"swap-objects",          "tp1-audio/0-0.tape", "tp1-audio/0-3.tape", "segment-misplaced",
     "segment 0 of track p1-audio part 0: what lies in tp1-audio/0-0.tape at 0 says it is segment "
     "3 "
     "of track p1-audio"                                                                                                     },
    {"other-track",           "tp1-video/0-0.tape", "tp1-audio/0-0.tape", "segment-misplaced",
     "says it is segment 0 of track p1-video"                                                                                },
    {"no-last-object",        "tp1-video/0-3.tape", NULL,                 "object-missing",
     "tp1-video/0-3.tape, with segments 3 to 4 of track p1-video"                                                            },
    {"flip",                  NULL,                 "tp1-video/0-3.tape", "segment-changed",    "segment 4 of track p1-video"},
    {"swap-parts",            "manifest/1.note",    "manifest/2.note",    "manifest-misplaced",
     "(1.note) says it is part 2"                                                                                            },
    {"no-last-part",          "manifest/2.note",    NULL,                 "manifest-open",      "ends with part 1"           },
    {"no-first-part",         "manifest/1.note",    NULL,                 "manifest-missing",   "1.note"                     },
    {"flip-part",             NULL,                 "manifest/2.note",    "manifest-signature", "part 2"                     },
    {"no-envelope",           "env/1.age",          NULL,                 "envelope-missing",   "env/1.age"                  },
    {"envelope-is-a-segment", "tp1-audio/0-0.tape", "env/1.age",          "envelope-misplaced",
     "env/1.age says it is segment 0"                                                                                        },
};

static void
tamper(const SpoolFixture *fixture, size_t row)
{
    g_autofree char *to = tampers[row].to == NULL ? NULL : path_of(fixture, tampers[row].to);
    g_autofree char *from = tampers[row].from == NULL ? NULL : path_of(fixture, tampers[row].from);
    g_autofree char *content = NULL;
    g_autofree char *spare = NULL;
    gsize n_bytes = 0;

    if (to == NULL) {
        g_assert_cmpint(g_unlink(from), ==, 0);
        return;
    }
    g_assert_true(g_file_get_contents(to, &content, &n_bytes, NULL));
    if (from == NULL) {
        content[n_bytes - 20] ^= 1;
        g_assert_true(g_file_set_contents(to, content, (gssize) n_bytes, NULL));
        return;
    }
    spare = g_strconcat(to, ".spare", NULL);
    g_assert_cmpint(g_rename(to, spare), ==, 0);
    g_assert_cmpint(g_rename(from, to), ==, 0);
    g_assert_cmpint(g_rename(spare, from), ==, 0);
}

static void
test_tamper_is_named(gconstpointer data)
{
    const size_t row = GPOINTER_TO_SIZE(data);
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");

    tamper(fixture, row);

    assert_found(fixture, tampers[row].code, tampers[row].words);
}

/* Copies an object of one store over one of another. */
static void
copy_object(const SpoolFixture *from, const char *from_name, const SpoolFixture *to,
            const char *to_name)
{
    g_autofree char *source = g_build_filename(from->store_path, "clinic-a", from_name, NULL);
    g_autofree char *target = g_build_filename(to->store_path, "clinic-a", to_name, NULL);
    g_autofree char *content = NULL;
    gsize n_bytes = 0;

    g_assert_true(g_file_get_contents(source, &content, &n_bytes, NULL));
    g_assert_true(g_file_set_contents(target, content, (gssize) n_bytes, NULL));
}

static void
test_objects_of_another_session_are_named(void)
{
    g_autoptr(SpoolFixture) ours = stored_session("visit-1");
    g_autoptr(SpoolFixture) theirs = stored_session("visit-2");

    copy_object(theirs, "visit-2/tp1-audio/0-0.tape", ours, "visit-1/tp1-audio/0-0.tape");
    copy_object(theirs, "visit-2/env/1.age", ours, "visit-1/env/1.age");
    copy_object(theirs, "visit-2/manifest/2.note", ours, "visit-1/manifest/2.note");

    assert_found(ours, "segment-misplaced", "of session visit-2");
    assert_found(ours, "envelope-misplaced", "of session visit-2");
    assert_found(ours, "manifest-misplaced", "of session visit-2");
}

static void
test_object_that_nobody_lists_is_named(void)
{
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");

    copy_object(fixture, "visit-1/tp1-audio/0-0.tape", fixture, "visit-1/tp1-audio/0-9.tape");
    copy_object(fixture, "visit-1/tp1-audio/0-0.tape", fixture, "visit-1/notes.txt");

    assert_found(fixture, "object-foreign", "tp1-audio/0-9.tape");
    assert_found(fixture, "object-foreign", "notes.txt");
}

static void
test_cut_and_longer_objects_are_named(void)
{
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");
    g_autofree char *cut = path_of(fixture, "tp1-audio/0-3.tape");
    g_autofree char *longer = path_of(fixture, "tp1-video/0-3.tape");
    g_autofree char *content = NULL;
    gsize n_bytes = 0;

    g_assert_cmpint(truncate(cut, 300), ==, 0);
    g_assert_true(g_file_get_contents(longer, &content, &n_bytes, NULL));
    g_assert_true(g_file_set_contents(longer, content, (gssize) n_bytes + 1, NULL));

    assert_found(fixture, "segment-missing", "segment 4 of track p1-audio part 0");
    assert_found(fixture, "object-changed", "tp1-video/0-3.tape");
}

/* Another first part, by the same key: what follows no longer fits. */
static void
test_exchanged_part_breaks_the_chain(void)
{
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");
    g_autofree char *path = path_of(fixture, "manifest/1.note");
    g_autofree char *content = NULL;
    g_autofree char *text = NULL;
    g_autofree char *note = NULL;
    g_autoptr(GString) changed = NULL;
    gsize n_bytes = 0;
    GError *error = NULL;

    g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
    text = note_open(content, n_bytes, visit_keys_verifiers(), &error);
    g_assert_no_error(error);
    changed = g_string_new(text);
    g_assert_cmpuint(g_string_replace(changed, "permit", "refuse", 1), ==, 1);
    note = note_sign(visit_keys_signer(), changed->str);
    g_assert_true(g_file_set_contents(path, note, -1, NULL));

    assert_found(fixture, "manifest-order", "does not follow the part 1");
}

static void
test_unknown_key_is_named(void)
{
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GPtrArray) nobody = g_ptr_array_new();
    const RecordingTrust trust = {.recorders = nobody};
    g_autoptr(Recording) recording = recording_open(store, "clinic-a", "visit-1", &trust, NULL);
    g_autoptr(GPtrArray) findings = recording_verify(recording, NULL, NULL);

    g_assert_cmpuint(findings->len, >, 0);
    g_assert_cmpstr(((const RecordingFinding *) g_ptr_array_index(findings, 0))->code, ==,
                    "manifest-signature");
    g_assert_cmpuint(recording_manifest(recording)->segments->len, ==, 0);
}

static void
test_finds_sessions(void)
{
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autofree char *org = recording_find_org(store, "visit-1", NULL);
    static const char *const unknown[] = {"visit-2", "visit", "../clinic-a", ""};

    g_assert_cmpstr(org, ==, "clinic-a");
    for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(recording_find_org(store, unknown[i], &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
        g_clear_error(&error);
        g_assert_null(recording_open(store, "clinic-a", unknown[i], visit_keys_trust(), &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND);
    }
}

static void
count_progress(uint64_t done, uint64_t total, void *user_data)
{
    uint64_t *last = user_data;

    g_assert_cmpuint(done, >=, *last);
    g_assert_cmpuint(done, <=, total);
    *last = done;
}

/* What is read in stretches is what is read whole; what does not fit its digest is not given. */
static void
assert_peeks_like_reading(Recording *recording)
{
    const GPtrArray *rows = recording_manifest(recording)->segments;
    g_autoptr(ObjectWindow) window = NULL;

    for (guint i = 0; i < rows->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(rows, i);
        g_autoptr(GBytes) sealed = recording_read_segment(recording, row, NULL);
        const uint8_t *peeked = recording_peek_segment(recording, row, &window);
        ManifestSegment longer = *row;

        g_assert_true((peeked == NULL) == (sealed == NULL));
        if (sealed != NULL) {
            g_assert_cmpuint(row->length, ==, g_bytes_get_size(sealed));
            g_assert_true(memcmp(peeked, g_bytes_get_data(sealed, NULL), row->length) == 0);
        }
        longer.length = UINT64_MAX;
        g_assert_null(recording_peek_segment(recording, &longer, &window));
    }
}

static void
test_reads_segments(void)
{
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");
    g_autofree char *path = path_of(fixture, "tp1-video/0-3.tape");
    g_autofree char *content = NULL;
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(Recording) recording =
        recording_open(store, "clinic-a", "visit-1", visit_keys_trust(), NULL);
    const GPtrArray *rows = recording_manifest(recording)->segments;
    g_autoptr(GPtrArray) findings = NULL;
    gsize n_bytes = 0;
    guint n_corrupt = 0;
    uint64_t done = 0;

    g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
    content[n_bytes - 1] ^= 1;
    g_assert_true(g_file_set_contents(path, content, (gssize) n_bytes, NULL));
    for (guint i = 0; i < rows->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(rows, i);
        g_autoptr(SealedSegment) expected =
            spool_fixture_segment("visit-1", row->track, row->index);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) sealed = recording_read_segment(recording, row, &error);

        if (sealed != NULL)
            g_assert_true(g_bytes_equal(sealed, expected->sealed));
        else
            g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
        n_corrupt += sealed == NULL;
    }
    assert_peeks_like_reading(recording);
    findings = recording_verify(recording, count_progress, &done);

    g_assert_cmpuint(n_corrupt, ==, 1);
    g_assert_cmpuint(findings->len, ==, 1);
    g_assert_cmpuint(done, >, 0);
}

/* Annotations are part of a recording: they are checked, and not foreign to it. */
static void
test_checks_annotations(void)
{
    g_autoptr(SpoolFixture) fixture = stored_session("visit-1");
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(Annotation) note = annotation_new("clinic-a", "visit-1", ANNOTATION_RELEASED);
    const AnnotationWriter writer = {
        .store = store, .signer = visit_keys_signer(), .verifiers = visit_keys_verifiers()};
    g_autoptr(GPtrArray) findings = NULL;
    g_autoptr(GBytes) junk = g_bytes_new_static("junk", 4);
    GError *error = NULL;

    note->by = g_strdup("custodian-1");
    g_assert_true(annotation_log_add(&writer, note, &error));
    g_assert_no_error(error);
    findings = verify(fixture, "visit-1");
    g_assert_cmpuint(findings->len, ==, 0);
    g_assert_true(object_store_put(store, "clinic-a/visit-1/notes/2.note", junk, &error));
    assert_found(fixture, "annotation-signature", "annotation 2 (notes/2.note) is not genuine");
}

int
main(int argc, char **argv)
{
    GError *error = NULL;
    int result = 0;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/recording/untouched-verifies", test_untouched_verifies);
    for (size_t i = 0; i < G_N_ELEMENTS(tampers); i++) {
        g_autofree char *path = g_strconcat("/recording/names/", tampers[i].name, NULL);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_tamper_is_named);
    }
    g_test_add_func("/recording/names/objects-of-another-session",
                    test_objects_of_another_session_are_named);
    g_test_add_func("/recording/names/object-that-nobody-lists",
                    test_object_that_nobody_lists_is_named);
    g_test_add_func("/recording/names/cut-and-longer-objects",
                    test_cut_and_longer_objects_are_named);
    g_test_add_func("/recording/names/exchanged-part", test_exchanged_part_breaks_the_chain);
    g_test_add_func("/recording/names/unknown-key", test_unknown_key_is_named);
    g_test_add_func("/recording/finds-sessions", test_finds_sessions);
    g_test_add_func("/recording/reads-segments", test_reads_segments);
    g_test_add_func("/recording/checks-annotations", test_checks_annotations);
    result = g_test_run();
    visit_keys_free();
    return result;
}
