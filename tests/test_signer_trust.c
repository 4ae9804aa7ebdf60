#include "agent/keys/signer_trust.h"
#include "crypto/checkpoint.h"
#include "crypto/crypto_error.h"
#include "crypto/signed_note.h"
#include "storage/durable_file.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"
#include "tests/fakes/spool_fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define ORG      "clinic-a"
#define ENROLLED "2026-11-29T07:00:00Z"
#define REVOKED  "2026-11-30T07:00:00Z"

/* Puts a manifest part (what it says is not looked at) that `signer` signed. */
static void
put_part(ObjectStore *store, const char *session, uint32_t number, const NoteSigner *signer,
         const char *text)
{
    g_autofree char *key = object_key_manifest(ORG, session, number);
    g_autofree char *note = note_sign(signer, text);
    g_autoptr(GBytes) bytes = g_bytes_new(note, strlen(note));

    g_assert_true(object_store_replace(store, key, bytes, NULL));
}

static void
remove_part(const SpoolFixture *fixture, const char *session, uint32_t number)
{
    g_autofree char *key = object_key_manifest(ORG, session, number);
    g_autofree char *path = g_build_filename(fixture->store_path, key, NULL);

    g_assert_cmpint(g_unlink(path), ==, 0);
}

/* Returns: a ring that enrols `signer`; with `list`, it has revoked it at record 10. */
static KeyRing *
ring_of(const NoteSigner *signer, GBytes *list)
{
    KeyRing *ring = key_ring_new(ORG);
    KeyRingSigner *row = g_new0(KeyRingSigner, 1);

    row->verifier_key = note_signer_verifier_key(signer);
    row->enrolled = g_strdup(ENROLLED);
    g_ptr_array_add(ring->signers, row);
    if (list != NULL) {
        row->revoked = g_strdup(REVOKED);
        row->n_records = 10;
        row->sessions = digest_of_bytes(list);
    }
    return ring;
}

/* Writes `list` where the ring looks for it. */
static void
write_list(const SpoolFixture *fixture, GBytes *list)
{
    const Digest digest = digest_of_bytes(list);
    g_autofree char *hex = digest_to_hex(&digest);
    g_autofree char *name = g_strconcat(hex, ".signed", NULL);
    const int folder = open(fixture->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    g_assert_cmpint(folder, >=, 0);
    g_assert_true(durable_file_create(folder, name, 0644, list, NULL));
    close(folder);
}

/* Revokes `signer` as it stands: lists it, writes the list, and opens a ring that names it. */
static SignerTrust *
revoke_now(const SpoolFixture *fixture, ObjectStore *store, const NoteSigner *signer)
{
    g_autofree char *key = note_signer_verifier_key(signer);
    GError *error = NULL;
    g_autoptr(SignedList) list = signer_trust_list(store, ORG, key, &error);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(KeyRing) ring = NULL;
    SignerTrust *trust = NULL;

    g_assert_no_error(error);
    bytes = signed_list_to_bytes(list);
    write_list(fixture, bytes);
    ring = ring_of(signer, bytes);
    trust = signer_trust_open(fixture->root, ring, &error);
    g_assert_no_error(error);
    return trust;
}

/* Fails the test unless there is the one sentence with `part` in it; NULL: none at all. */
static void
expect(const SignerTrust *trust, ObjectStore *store, const char *session, const char *part)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) found = signer_trust_check_session(trust, store, session, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(found->len, ==, part != NULL);
    if (part != NULL)
        g_assert_nonnull(strstr(found->pdata[0], part));
}

static void
test_believes_whom_it_enrols(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(NoteSigner) own = note_signer_generate("recorder-1", NULL);
    g_autoptr(NoteSigner) other = note_signer_generate("recorder-1", NULL);
    g_autoptr(KeyRing) ring = ring_of(own, NULL);
    g_autoptr(KeyRing) empty = key_ring_new(ORG);
    g_autoptr(SignerTrust) trust = signer_trust_open(fixture->root, ring, NULL);
    g_autoptr(SignerTrust) nobody = signer_trust_open(fixture->root, empty, NULL);

    put_part(store, "own", 1, own, "a\n");
    put_part(store, "other", 1, other, "a\n");
    expect(trust, store, "own", NULL);
    expect(trust, store, "other", "part 1 is signed by no program that the key ring of clinic-a");
    expect(nobody, store, "other", NULL);
}

static void
test_revoked_counts_up_to_its_place(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(NoteSigner) signer = note_signer_generate("recorder-1", NULL);
    g_autoptr(SignerTrust) trust = NULL;

    put_part(store, "before", 1, signer, "a\n");
    put_part(store, "before", 2, signer, "b\n");
    put_part(store, "running", 1, signer, "a\n");
    trust = revoke_now(fixture, store, signer);
    expect(trust, store, "before", NULL);

    put_part(store, "running", 2, signer, "b\n");
    put_part(store, "after", 1, signer, "a\n");
    expect(trust, store, "running", "part 2 is signed by recorder-1+");
    expect(trust, store, "after", "was revoked at " REVOKED);
}

static void
test_revoked_can_not_change_what_is_listed(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(NoteSigner) signer = note_signer_generate("recorder-1", NULL);
    g_autoptr(SignerTrust) trust = NULL;

    put_part(store, "before", 1, signer, "a\n");
    put_part(store, "before", 2, signer, "b\n");
    trust = revoke_now(fixture, store, signer);

    put_part(store, "before", 2, signer, "c\n");
    expect(trust, store, "before", "part 2 is signed by recorder-1+");
    remove_part(fixture, "before", 2);
    expect(trust, store, "before", "part 2 is missing, which recorder-1+");
}

static char *
check_checkpoint(const SignerTrust *trust, const NoteSigner *signer, uint64_t n_leaves)
{
    g_autofree char *origin = g_strdup("recorder-1");
    const Checkpoint checkpoint = {.origin = origin, .n_leaves = n_leaves};
    g_autofree char *note = checkpoint_sign(&checkpoint, signer);
    g_autoptr(GBytes) bytes = g_bytes_new(note, strlen(note));

    return signer_trust_check_checkpoint(trust, bytes);
}

static void
test_its_log_counts_up_to_its_place(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(NoteSigner) signer = note_signer_generate("recorder-1", NULL);
    g_autoptr(NoteSigner) other = note_signer_generate("recorder-2", NULL);
    g_autoptr(SignerTrust) trust = revoke_now(fixture, store, signer);
    g_autofree char *at = check_checkpoint(trust, signer, 10);
    g_autofree char *behind = check_checkpoint(trust, signer, 11);
    g_autofree char *others = check_checkpoint(trust, other, 11);

    g_assert_null(at);
    g_assert_null(others);
    g_assert_nonnull(strstr(behind, "vouches for 11 records, and recorder-1+"));
}

static void
test_refuses_another_list(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(NoteSigner) signer = note_signer_generate("recorder-1", NULL);
    g_autoptr(GBytes) list = g_bytes_new_static("sealtape-signed/v2\n", 19);
    g_autoptr(KeyRing) ring = ring_of(signer, list);
    g_autoptr(GError) missing = NULL;
    g_autoptr(GError) malformed = NULL;

    g_assert_null(signer_trust_open(fixture->root, ring, &missing));
    g_assert_error(missing, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    write_list(fixture, list);
    g_assert_null(signer_trust_open(fixture->root, ring, &malformed));
    g_assert_error(malformed, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
}

static void
test_list_has_one_spelling(void)
{
    const Digest digest = digest_of("x", 1);
    g_autofree char *hex = digest_to_hex(&digest);
    g_autofree char *good = g_strdup_printf(
        "sealtape-signed/v1\norg clinic-a\nsigner recorder-1+0a+b\nsession visit-1 3 %s\n", hex);
    const char *const changes[][2] = {
        {"/v1",   "/v2"    },
        {" 3 ",   " 03 "   },
        {" 3 ",   " 0 "    },
        {" 3 ",   " -3 "   },
        {" 3 ",   "  3 "   },
        {"org ",  "org  \n"},
        {"visit", "\nvisit"},
    };
    g_autoptr(GBytes) bytes = g_bytes_new(good, strlen(good));
    g_autoptr(SignedList) list = signed_list_parse(bytes, NULL);
    g_autoptr(GBytes) again = signed_list_to_bytes(list);

    g_assert_true(g_bytes_equal(bytes, again));
    g_assert_cmpuint(signed_list_find(list, "visit-1")->number, ==, 3);
    g_assert_null(signed_list_find(list, "visit-2"));
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autoptr(GString) text = g_string_new(good);
        g_autoptr(GBytes) bad = NULL;
        g_autoptr(GError) error = NULL;

        g_string_replace(text, changes[i][0], changes[i][1], 1);
        bad = g_bytes_new(text->str, text->len);
        g_assert_null(signed_list_parse(bad, &error));
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/signer-trust/believes-whom-it-enrols", test_believes_whom_it_enrols);
    g_test_add_func("/signer-trust/revoked-counts-up-to-its-place",
                    test_revoked_counts_up_to_its_place);
    g_test_add_func("/signer-trust/revoked-can-not-change-what-is-listed",
                    test_revoked_can_not_change_what_is_listed);
    g_test_add_func("/signer-trust/its-log-counts-up-to-its-place",
                    test_its_log_counts_up_to_its_place);
    g_test_add_func("/signer-trust/refuses-another-list", test_refuses_another_list);
    g_test_add_func("/signer-trust/list-has-one-spelling", test_list_has_one_spelling);
    return g_test_run();
}
