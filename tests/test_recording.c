#include "crypto/age_file.h"
#include "crypto/crypto_error.h"
#include "crypto/signed_note.h"
#include "storage/recording.h"
#include "storage/storage_error.h"
#include "storage/uploader.h"
#include "tests/fakes/spool_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *const two_tracks[] = {"p1-audio", "p1-video", NULL};
static NoteSigner *signer;
static GPtrArray *verifiers;

static void
put_envelope(const SpoolFixture *fixture, const char *session)
{
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autofree char *key = g_strdup_printf("clinic-a/%s/env/1.age", session);
    g_autoptr(GPtrArray) recipients = g_ptr_array_new();
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", session, 1);
    g_autoptr(AgeIdentity) identity = age_identity_generate(NULL);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identity);
    const struct iovec piece = {(char *) "keys", 4};
    g_autoptr(GBytes) sealed = NULL;

    g_ptr_array_add(recipients, recipient);
    sealed = age_file_seal(recipients, context, &piece, 1, NULL);
    g_assert_nonnull(sealed);
    g_assert_true(object_store_put(store, key, sealed, NULL));
}

/* Uploads what the spool holds, and stops. */
static void
upload(const SpoolFixture *fixture, Spool *spool)
{
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    const UploaderOptions options = {
        .spool = spool, .store = store, .signer = signer, .interval_ms = 10};
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
    put_envelope(fixture, session);
    return fixture;
}

static GPtrArray *
verify(const SpoolFixture *fixture, const char *session)
{
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    GError *error = NULL;
    g_autoptr(Recording) recording = recording_open(store, "clinic-a", session, verifiers, &error);
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

int
main(int argc, char **argv)
{
    g_autofree char *key = NULL;
    GError *error = NULL;
    int result = 0;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    signer = note_signer_generate("recorder-1", NULL);
    key = note_signer_verifier_key(signer);
    verifiers = g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);
    g_ptr_array_add(verifiers, note_verifier_parse(key, NULL));
    g_test_add_func("/recording/untouched-verifies", test_untouched_verifies);
    for (size_t i = 0; i < G_N_ELEMENTS(tampers); i++) {
        g_autofree char *path = g_strconcat("/recording/names/", tampers[i].name, NULL);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_tamper_is_named);
    }
    result = g_test_run();
    g_ptr_array_unref(verifiers);
    note_signer_free(signer);
    return result;
}
