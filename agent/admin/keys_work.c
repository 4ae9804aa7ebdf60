#include "agent/admin/keys_work.h"

#include "agent/admin/passphrase.h"
#include "agent/playback/identity_files.h"
#include "config/key_file.h"
#include "crypto/age_seal_list.h"
#include "storage/storage_error.h"

#include <string.h>

static bool
find_org(KeysWork *self, const char *org, GError **error)
{
    const GPtrArray *orgs = self->settings->orgs;

    if (org == NULL && orgs->len != 1) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "there are %u organisations: name one with --org", orgs->len);
        return false;
    }
    self->org = org == NULL ? orgs->pdata[0] : settings_org(self->settings, org);
    if (self->org == NULL) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "there is no organisation `%s`",
                    org);
    }
    return self->org != NULL;
}

bool
keys_work_open(KeysWork *self, CommandContext *context, const char *org, GError **error)
{
    self->context = context;
    self->settings = command_context_settings(context, error);
    if (self->settings == NULL || !find_org(self, org, error))
        return false;
    self->file = ring_file_open(self->settings, self->org, error);
    return self->file != NULL;
}

GPtrArray *
keys_work_identities(char **paths, GError **error)
{
    static const char *const none[] = {NULL};

    return identity_files_read(paths != NULL ? (const char *const *) paths : none,
                               passphrase_ask_for_file, NULL, error);
}

KeyRingKey *
keys_work_find(const KeyRing *ring, const char *name, GError **error)
{
    KeyRingKey *found = NULL;
    unsigned n_found = 0;

    for (guint i = 0; i < ring->keys->len; i++) {
        KeyRingKey *key = g_ptr_array_index(ring->keys, i);
        g_autofree char *mark = age_seal_list_mark(key->recipient);

        if (strcmp(key->recipient, name) == 0 || (*name != '\0' && g_str_has_prefix(mark, name))) {
            found = key;
            n_found++;
        }
    }
    if (n_found == 1)
        return found;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                n_found == 0 ? "`%s` is no key of %s: `sealtape keys list` shows them"
                             : "`%s` is more than one key of %s: give more of it",
                name, ring->org);
    return NULL;
}

GPtrArray *
keys_work_identities_of(GPtrArray *identities, const char *recipient)
{
    GPtrArray *own = g_ptr_array_new();

    for (guint i = 0; i < identities->len; i++) {
        g_autoptr(AgeRecipient) public_half = age_identity_recipient(identities->pdata[i]);

        if (public_half != NULL && strcmp(age_recipient_text(public_half), recipient) == 0)
            g_ptr_array_add(own, identities->pdata[i]);
    }
    return own;
}

char *
keys_work_marks(const OrgSettings *org)
{
    g_autoptr(GString) marks = g_string_new(NULL);

    for (guint i = 0; i < org->recipients->len; i++) {
        g_autofree char *mark = age_seal_list_mark(org->recipients->pdata[i]);

        g_string_append_printf(marks, "%s%s", i > 0 ? "," : "", mark);
    }
    return g_strdup(marks->str);
}

static NoteSigner *
read_signer(const KeysWork *self, GError **error)
{
    const char *path = self->settings->keys->signing_key_path;
    g_autoptr(Secret) text = NULL;
    NoteSigner *signer = NULL;

    if (path == NULL) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "%s: keys.signing_key is not set: without it nobody can sign a key ring",
                    self->settings->path);
        return NULL;
    }
    text = key_file_read(path, error);
    signer = text != NULL ? note_signer_parse(text, error) : NULL;
    if (text != NULL && signer == NULL)
        g_prefix_error(error, "%s: ", path);
    return signer;
}

KeyRing *
keys_work_next(const KeysWork *self)
{
    return ring_file_next(self->file, g_get_user_name());
}

static bool
write_signed(KeysWork *self, KeyRing *next, GError **error)
{
    g_autoptr(NoteSigner) signer = read_signer(self, error);

    return signer != NULL &&
           ring_file_write(self->file, next, signer, self->settings->keys->admin_keys, error);
}

bool
keys_work_adopt(KeysWork *self, GError **error)
{
    g_autoptr(KeyRing) first = NULL;

    if (!self->file->is_new)
        return true;
    first = keys_work_next(self);
    return write_signed(self, first, error);
}

bool
keys_work_write(KeysWork *self, KeyRing *next, GError **error)
{
    return write_signed(self, next, error);
}

void
keys_work_set_state(KeyRingKey *key, KeyRingState state)
{
    key->state = state;
    g_free(key->since);
    key->since = ring_file_now();
}

void
keys_work_clear(KeysWork *self)
{
    g_clear_pointer(&self->file, ring_file_free);
}
