#include "config/org_key_ring.h"

#include "crypto/key_ring_read.h"
#include "crypto/signed_note.h"

enum { MAX_VERSIONS = 100000 };

static void
on_verifier_free(gpointer verifier)
{
    note_verifier_free(verifier);
}

char *
org_key_ring_folder(const char *orgs, const char *org)
{
    g_autofree char *name = g_strconcat(org, ".keys", NULL);

    return g_build_filename(orgs, name, NULL);
}

/* Reads version `number`. Returns: NULL with no `error` where there is none. */
static GBytes *
read_version(const char *folder, unsigned number, GError **error)
{
    g_autofree char *name = g_strdup_printf("%u.note", number);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) fault = NULL;
    char *text = NULL;
    gsize n_bytes = 0;

    if (g_file_get_contents(path, &text, &n_bytes, &fault))
        return g_bytes_new_take(text, n_bytes);
    if (!g_error_matches(fault, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_UNREADABLE, fault->message);
    return NULL;
}

/* Returns: GPtrArray of GBytes, from version 1 on without a gap. */
static GPtrArray *
read_versions(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    g_autoptr(GError) fault = NULL;
    GBytes *note = NULL;

    for (unsigned i = 1; i <= MAX_VERSIONS && (note = read_version(folder, i, &fault)) != NULL; i++)
        g_ptr_array_add(notes, note);
    if (fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    return g_steal_pointer(&notes);
}

/* Returns: how many files in `folder` are named as versions are; one behind a gap shows so. */
static guint
count_files(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    guint n_files = 0;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        n_files += g_ascii_isdigit(name[0]) && g_str_has_suffix(name, ".note") ? 1 : 0;
    return n_files;
}

KeyRing *
org_key_ring_read(const char *folder, const char *org, GPtrArray *verifiers, Digest *last,
                  GError **error)
{
    g_autoptr(GPtrArray) notes = NULL;
    g_autoptr(GError) fault = NULL;
    KeyRing *ring = NULL;

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
        return NULL;
    notes = read_versions(folder, error);
    if (notes == NULL)
        return NULL;
    if (count_files(folder) != notes->len || notes->len == 0) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "%s: version %u of the key ring is missing", folder, notes->len + 1);
        return NULL;
    }
    ring = key_ring_open(notes, org, verifiers, &fault);
    if (ring == NULL) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "%s: the key ring does not count (`trusted_admins` says whose does): %s",
                    folder, fault->message);
        return NULL;
    }
    if (last != NULL)
        *last = digest_of_bytes(g_ptr_array_index(notes, notes->len - 1));
    return ring;
}

bool
org_key_ring_apply(OrgSettings *org, const char *orgs, const GPtrArray *admins, GError **error)
{
    g_autoptr(GPtrArray) verifiers = g_ptr_array_new_with_free_func(on_verifier_free);
    g_autoptr(KeyRing) ring = NULL;
    g_autoptr(GError) fault = NULL;

    org->ring_path = org_key_ring_folder(orgs, org->id);
    for (guint i = 0; i < admins->len; i++) {
        NoteVerifier *verifier = note_verifier_parse(admins->pdata[i], error);

        if (verifier == NULL)
            return false;
        g_ptr_array_add(verifiers, verifier);
    }
    ring = org_key_ring_read(org->ring_path, org->id, verifiers, NULL, &fault);
    if (fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    if (ring != NULL) {
        g_ptr_array_unref(org->recipients);
        org->recipients = key_ring_active(ring);
        org->ring_version = ring->version;
    } else if (org->recipients->len == 0) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "%s/%s.conf: recipients: is missing, and there is no key ring; it must be two "
                    "to sixteen age recipients (age1...)",
                    orgs, org->id);
        return false;
    }
    return true;
}
