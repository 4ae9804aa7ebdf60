#include "crypto/checkpoint.h"
#include "crypto/crypto_error.h"
#include "storage/audit_check.h"

#include <string.h>

/* Any bytes as a log, held against a genuine checkpoint of something else: never good, never more
 * signed than there is. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static GPtrArray *verifiers;
static GBytes *genuine;

static void
prepare(void)
{
    const Checkpoint checkpoint = {(char *) "recorder.example/clinic-a", 3, digest_of("x", 1)};
    g_autoptr(NoteSigner) signer = NULL;
    g_autofree char *key = NULL;
    char *note = NULL;

    g_assert_true(crypto_start(NULL));
    signer = note_signer_generate("recorder.example", NULL);
    key = note_signer_verifier_key(signer);
    verifiers = g_ptr_array_new();
    g_ptr_array_add(verifiers, note_verifier_parse(key, NULL));
    note = checkpoint_sign(&checkpoint, signer);
    genuine = g_bytes_new_take(note, strlen(note));
}

static void
check(GBytes *bytes)
{
    AuditNote rows[] = {
        {"3.note",    genuine, true},
        {"fuzz.note", bytes,   true}
    };
    g_autoptr(GPtrArray) notes = g_ptr_array_new();
    const AuditEvidence evidence = {"recorder.example/clinic-a", bytes, notes, verifiers};
    g_autoptr(AuditVerdict) verdict = NULL;

    g_ptr_array_add(notes, &rows[0]);
    g_ptr_array_add(notes, &rows[1]);
    verdict = audit_check(&evidence);
    g_assert_cmpuint(verdict->findings->len, >, 0);
    g_assert_cmpuint(verdict->n_signed, <=, verdict->n_records);
    g_assert_cmpuint(verdict->n_anchored, <=, verdict->n_signed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, n_bytes);

    if (genuine == NULL)
        prepare();
    check(bytes);
    return 0;
}
