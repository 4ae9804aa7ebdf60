#include "agent/admin/doctor_checks.h"
#include "config/key_file.h"
#include "crypto/signed_note.h"

#include <string.h>
#include <unistd.h>

/* A program that signs on this host, and who has to know its key. */
typedef struct {
    const char *check;
    const char *owner;
    const char *list; /* the setting */
    const char *cost; /* of a key that it does not name */
    DoctorResult unknown;
    const char *path;
    const GPtrArray *known;
} Signer;

/* Returns: the verifier key of the secret one, owned. */
static char *
read_secret(const char *path, GError **error)
{
    g_autoptr(Secret) text = key_file_read(path, error);
    g_autoptr(NoteSigner) signer = text != NULL ? note_signer_parse(text, error) : NULL;

    return signer != NULL ? note_signer_verifier_key(signer) : NULL;
}

/* Returns: what stands in the `.pub` beside a `.key`, owned; NULL if nothing of use does. */
static char *
read_public(const char *path)
{
    g_autofree char *name = NULL;
    g_autofree char *text = NULL;
    g_autoptr(NoteVerifier) verifier = NULL;

    if (!g_str_has_suffix(path, ".key"))
        return NULL;
    name = g_strdup_printf("%.*s.pub", (int) (strlen(path) - strlen(".key")), path);
    if (!g_file_get_contents(name, &text, NULL, NULL))
        return NULL;
    verifier = note_verifier_parse(g_strchomp(text), NULL);
    return verifier != NULL ? g_steal_pointer(&text) : NULL;
}

static void
judge(const Signer *signer, const char *verifier_key, const char *how, DoctorReport *report)
{
    if (g_ptr_array_find_with_equal_func((GPtrArray *) signer->known, verifier_key, g_str_equal,
                                         NULL)) {
        doctor_report_add(report, DOCTOR_OK, signer->check, "%s, and `%s` knows it.", how,
                          signer->list);
    } else {
        doctor_report_add(report, signer->unknown, signer->check,
                          "`%s` does not have this %s's key, so %s; add \"%s\".", signer->list,
                          signer->owner, signer->cost, verifier_key);
    }
}

static void
check_signer(const Signer *signer, DoctorReport *report)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *verifier_key = read_secret(signer->path, &error);
    g_autofree char *public_key = NULL;

    if (verifier_key != NULL) {
        judge(signer, verifier_key, "Only its owner may read it", report);
        return;
    }
    /* Each program has a user of its own, and doctor runs as one of them. */
    public_key = signer->unknown != DOCTOR_FAILED && access(signer->path, R_OK) != 0
                     ? read_public(signer->path)
                     : NULL;
    if (public_key != NULL) {
        judge(signer, public_key, "This user may not read it; the `.pub` lies beside it", report);
    } else {
        doctor_report_add(report, signer->unknown, signer->check, "%s; the %s signs with it.",
                          error->message, signer->owner);
    }
}

void
doctor_checks_signers(const Settings *settings, DoctorReport *report)
{
    const KeySettings *keys = settings->keys;
    Signer signer = {"signing key",          "recorder",
                     "trusted_recorders",    "`verify` would not believe its recordings",
                     DOCTOR_FAILED,          settings->signing_key_path,
                     settings->verifier_keys};

    check_signer(&signer, report);
    if (settings->access != NULL) {
        signer = (Signer){"opener signer",   "opener",
                          "trusted_openers", "nobody believes its audit logs and annotations",
                          DOCTOR_WARNING,    settings->access->signing_key_path,
                          keys->opener_keys};
        check_signer(&signer, report);
    }
    if (keys->signing_key_path != NULL) {
        signer = (Signer){"admin signer",   "command line",
                          "trusted_admins", "nobody believes its audit logs, holds and erasures",
                          DOCTOR_WARNING,   keys->signing_key_path,
                          keys->admin_keys};
        check_signer(&signer, report);
    }
}
