#include "agent/keys/ring_file.h"

#include "config/org_key_ring.h"
#include "crypto/key_ring_read.h"
#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

enum { BY_BYTES = 64, FOLDER_MODE = 0755, NOTE_MODE = 0644 };

char *
ring_file_now(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();

    return g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
}

static void
on_verifier_free(gpointer verifier)
{
    note_verifier_free(verifier);
}

/* Returns: GPtrArray of NoteVerifier, owned. */
static GPtrArray *
read_verifiers(const GPtrArray *admins, GError **error)
{
    g_autoptr(GPtrArray) verifiers = g_ptr_array_new_with_free_func(on_verifier_free);

    for (guint i = 0; i < admins->len; i++) {
        NoteVerifier *verifier = note_verifier_parse(admins->pdata[i], error);

        if (verifier == NULL)
            return NULL;
        g_ptr_array_add(verifiers, verifier);
    }
    return g_steal_pointer(&verifiers);
}

static KeyRing *
first_version(const OrgSettings *org)
{
    KeyRing *ring = key_ring_new(org->id);
    g_autofree char *now = ring_file_now();

    for (guint i = 0; i < org->recipients->len; i++) {
        (void) key_ring_add(ring, org->recipients->pdata[i],
                            i == 0 ? KEY_RING_ORGANISATION : KEY_RING_BREAK_GLASS, now);
    }
    return ring;
}

KeyRing *
ring_file_read(const Settings *settings, const char *folder, const char *org, Digest *last,
               GError **error)
{
    g_autoptr(GPtrArray) verifiers = read_verifiers(settings->keys->admin_keys, error);

    return verifiers != NULL ? org_key_ring_read(folder, org, verifiers, last, error) : NULL;
}

RingFile *
ring_file_open(const Settings *settings, const OrgSettings *org, GError **error)
{
    g_autoptr(RingFile) self = g_new0(RingFile, 1);
    g_autoptr(GError) fault = NULL;

    self->folder = g_strdup(org->ring_path);
    self->ring = ring_file_read(settings, self->folder, org->id, &self->digest, &fault);
    if (fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    self->is_new = self->ring == NULL;
    if (self->is_new)
        self->ring = first_version(org);
    return g_steal_pointer(&self);
}

/* Returns: `by` with nothing in it that a ring can not hold, owned. */
static char *
clean_name(const char *by)
{
    char *name = g_strndup(by, BY_BYTES);

    for (char *at = name; *at != '\0'; at++) {
        if (!g_ascii_isgraph(*at))
            *at = '_';
    }
    if (name[0] != '\0')
        return name;
    g_free(name);
    return g_strdup("unknown");
}

KeyRing *
ring_file_next(const RingFile *self, const char *by)
{
    KeyRing *next = key_ring_next(self->ring, &self->digest);

    if (self->is_new) {
        next->version = 1;
        next->has_previous = false;
    }
    next->made = ring_file_now();
    next->by = clean_name(by);
    return next;
}

/* What is written must be read back by everyone: the same checks, before it is. */
static bool
check(const RingFile *self, const char *text, GBytes *note, GPtrArray *verifiers, GError **error)
{
    g_autoptr(KeyRing) again = key_ring_parse(text, error);
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autofree char *opened = again != NULL ? note_open(bytes, n_bytes, verifiers, error) : NULL;

    if (opened == NULL) {
        g_prefix_error(error, "the new key ring would not count, so it is not written "
                              "(`trusted_admins` in sealtape.conf says whose does): ");
        return false;
    }
    if (again->version != self->ring->version + (self->is_new ? 0U : 1U)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "version %u does not follow version %u", again->version, self->ring->version);
        return false;
    }
    return true;
}

static bool
write_note(const RingFile *self, uint32_t version, GBytes *note, GError **error)
{
    g_autofree char *name = g_strdup_printf("%u.note", version);
    g_autofree char *parent = g_path_get_dirname(self->folder);
    g_auto(Fd) above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_auto(Fd) folder = -1;

    if (g_mkdir(self->folder, FOLDER_MODE) != 0 && errno != EEXIST)
        return storage_fail_errno(error, "make", self->folder);
    if (above < 0 || fsync(above) < 0)
        return storage_fail_errno(error, "flush", parent);
    folder = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return storage_fail_errno(error, "open", self->folder);
    return durable_file_create(folder, name, NOTE_MODE, note, error);
}

bool
ring_file_write(RingFile *self, KeyRing *ring, const NoteSigner *signer, GPtrArray *admins,
                GError **error)
{
    g_autofree char *text = key_ring_to_text(ring);
    g_autofree char *signed_text = note_sign(signer, text);
    g_autoptr(GBytes) note = g_bytes_new(signed_text, strlen(signed_text));
    g_autoptr(GPtrArray) verifiers = read_verifiers(admins, error);

    if (verifiers == NULL || !check(self, text, note, verifiers, error) ||
        !write_note(self, ring->version, note, error))
        return false;
    key_ring_free(self->ring);
    self->ring = key_ring_next(ring, &self->digest); /* a copy */
    self->ring->version = ring->version;
    self->ring->has_previous = ring->has_previous;
    self->ring->previous = ring->previous;
    self->ring->made = g_strdup(ring->made);
    self->ring->by = g_strdup(ring->by);
    self->digest = digest_of_bytes(note);
    self->is_new = false;
    return true;
}

void
ring_file_free(RingFile *self)
{
    if (self == NULL)
        return;
    g_free(self->folder);
    key_ring_free(self->ring);
    g_free(self);
}
