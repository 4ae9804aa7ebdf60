#include "crypto/checkpoint.h"
#include "crypto/crypto_error.h"
#include "crypto/merkle_tree.h"
#include "storage/audit_check.h"

#include <string.h>

#define ORIGIN "recorder.example/clinic-a"

enum { N_RECORDS = 10 };

static NoteSigner *signer;
static GPtrArray *verifiers;

/* The log's text; `changed`: this record says something else. -1: none does. */
static char *
text_of(int n_records, int changed)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < n_records; i++) {
        g_string_append_printf(text, "%d 2026-11-21T17:00:0%d.000000Z recording-start %s\n", i,
                               i % 10, i == changed ? "refused" : "ok");
    }
    return g_string_free(text, FALSE);
}

static GBytes *
sign(const char *text, int n_records, const char *origin)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *note = NULL;
    MerkleTree tree = {0};
    Checkpoint checkpoint = {(char *) origin, (uint64_t) n_records, {{0}}};

    for (int i = 0; i < n_records; i++) {
        const Digest leaf = merkle_leaf(lines[i], strlen(lines[i]));

        merkle_tree_add(&tree, &leaf);
    }
    checkpoint.root = merkle_tree_root(&tree);
    note = checkpoint_sign(&checkpoint, signer);
    return g_bytes_new(note, strlen(note));
}

/* Holds `content` against checkpoints of `whole` with 4 (in the store) and 8 (not) records. */
static AuditVerdict *
check(const char *content, const char *whole)
{
    g_autoptr(GBytes) four = sign(whole, 4, ORIGIN);
    g_autoptr(GBytes) eight = sign(whole, 8, ORIGIN);
    AuditNote rows[] = {
        {"8.note", eight, false},
        {"4.note", four,  true }
    };
    g_autoptr(GPtrArray) notes = g_ptr_array_new();
    g_autoptr(GBytes) bytes = g_bytes_new(content, strlen(content));
    const AuditEvidence evidence = {ORIGIN, bytes, notes, verifiers};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_ptr_array_add(notes, &rows[i]);
    return audit_check(&evidence);
}

static void
assert_finds(const char *content, const char *sentence)
{
    g_autofree char *whole = text_of(N_RECORDS, -1);
    g_autoptr(AuditVerdict) verdict = check(content, whole);
    g_autofree char *all = NULL;

    g_ptr_array_add(verdict->findings, NULL);
    all = g_strjoinv("\n", (char **) verdict->findings->pdata);
    g_ptr_array_set_size(verdict->findings, (gint) verdict->findings->len - 1);
    g_assert_nonnull(strstr(all, sentence));
}

static void
test_finds_nothing_in_a_good_one(void)
{
    g_autofree char *whole = text_of(N_RECORDS, -1);
    g_autoptr(AuditVerdict) verdict = check(whole, whole);

    g_assert_cmpuint(verdict->findings->len, ==, 0);
    g_assert_cmpuint(verdict->n_records, ==, 10);
    g_assert_cmpuint(verdict->n_signed, ==, 8);
    g_assert_cmpuint(verdict->n_anchored, ==, 4);
    g_assert_cmpuint(verdict->n_notes, ==, 2);
}

static void
test_names_an_edit(void)
{
    g_autofree char *early = text_of(N_RECORDS, 1);
    g_autofree char *late = text_of(N_RECORDS, 6);

    assert_finds(early, "4.note: the first 4 records are not those that were signed: edited");
    assert_finds(late, "8.note: the first 8 records are not those that were signed: edited");
}

static void
test_names_a_removal(void)
{
    g_autofree char *whole = text_of(N_RECORDS, -1);
    const char *rest = strstr(whole, "\n3 ") + 1;
    g_autofree char *head = g_strndup(whole, (gsize) (strstr(whole, "\n2 ") + 1 - whole));
    g_autofree char *text = g_strconcat(head, rest, NULL);

    assert_finds(text, "line 3 is not its record: removed");
}

static void
test_names_another_order(void)
{
    assert_finds("1 2026-11-21T17:00:01.000000Z recording-start ok\n"
                 "0 2026-11-21T17:00:00.000000Z recording-start ok\n",
                 "line 1 is not its record");
}

static void
test_names_a_time_that_goes_back(void)
{
    assert_finds("0 2026-11-21T17:00:01.000000Z recording-start ok\n"
                 "1 2026-11-21T17:00:00.000000Z recording-start ok\n",
                 "line 2 is not its record");
}

static void
test_names_a_cut(void)
{
    g_autofree char *cut = text_of(6, -1);

    assert_finds(cut, "8.note: vouches for 8 records, and the log has 6: its end was cut off");
    assert_finds("", "4.note: vouches for 4 records, and the log has 0");
}

static void
test_names_a_torn_end(void)
{
    g_autofree char *whole = text_of(N_RECORDS, -1);

    whole[strlen(whole) - 3] = '\0';
    assert_finds(whole, "the last record is cut short");
}

static void
test_names_a_fork(void)
{
    g_autofree char *whole = text_of(N_RECORDS, -1);
    g_autofree char *forked = text_of(N_RECORDS, 5);
    g_autoptr(AuditVerdict) verdict = check(whole, forked);

    g_assert_cmpuint(verdict->findings->len, ==, 1);
    g_assert_true(g_str_has_prefix(verdict->findings->pdata[0], "8.note: the first 8 records"));
    g_assert_cmpuint(verdict->n_signed, ==, 4);
}

static void
test_names_what_is_no_checkpoint(void)
{
    g_autofree char *whole = text_of(N_RECORDS, -1);
    g_autoptr(GBytes) elsewhere = sign(whole, 4, "recorder.other/clinic-a");
    g_autoptr(GBytes) junk = g_bytes_new_static("junk", 4);
    g_autoptr(GBytes) content = g_bytes_new(whole, strlen(whole));
    AuditNote rows[] = {
        {"4.note", elsewhere, true},
        {"5.note", junk,      true}
    };
    g_autoptr(GPtrArray) notes = g_ptr_array_new();
    const AuditEvidence evidence = {ORIGIN, content, notes, verifiers};
    g_autoptr(AuditVerdict) verdict = NULL;

    g_ptr_array_add(notes, &rows[0]);
    g_ptr_array_add(notes, &rows[1]);
    verdict = audit_check(&evidence);

    g_assert_cmpuint(verdict->findings->len, ==, 2);
    g_assert_cmpstr(verdict->findings->pdata[0], ==,
                    "4.note: a checkpoint of another log, recorder.other/clinic-a");
    g_assert_true(g_str_has_prefix(verdict->findings->pdata[1], "5.note: no genuine checkpoint"));
    g_assert_cmpuint(verdict->n_anchored, ==, 0);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *key = NULL;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    signer = note_signer_generate("recorder.example", &error);
    key = note_signer_verifier_key(signer);
    verifiers = g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);
    g_ptr_array_add(verifiers, note_verifier_parse(key, &error));
    g_test_add_func("/audit-check/finds-nothing-in-a-good-one", test_finds_nothing_in_a_good_one);
    g_test_add_func("/audit-check/names-an-edit", test_names_an_edit);
    g_test_add_func("/audit-check/names-a-removal", test_names_a_removal);
    g_test_add_func("/audit-check/names-another-order", test_names_another_order);
    g_test_add_func("/audit-check/names-a-time-that-goes-back", test_names_a_time_that_goes_back);
    g_test_add_func("/audit-check/names-a-cut", test_names_a_cut);
    g_test_add_func("/audit-check/names-a-torn-end", test_names_a_torn_end);
    g_test_add_func("/audit-check/names-a-fork", test_names_a_fork);
    g_test_add_func("/audit-check/names-what-is-no-checkpoint", test_names_what_is_no_checkpoint);
    return g_test_run();
}
