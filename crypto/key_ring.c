#include "crypto/key_ring.h"

#include "crypto/key_ring_read.h"

#include <string.h>

static void
key_free(gpointer data)
{
    KeyRingKey *self = data;

    g_free(self->recipient);
    g_free(self->made);
    g_free(self->since);
    g_free(self->drilled);
    g_free(self);
}

static void
signer_free(gpointer data)
{
    KeyRingSigner *self = data;

    g_free(self->verifier_key);
    g_free(self->enrolled);
    g_free(self->revoked);
    g_free(self);
}

KeyRing *
key_ring_new(const char *org)
{
    KeyRing *self = g_new0(KeyRing, 1);

    self->org = g_strdup(org);
    self->version = 1;
    self->keys = g_ptr_array_new_with_free_func(key_free);
    self->signers = g_ptr_array_new_with_free_func(signer_free);
    return self;
}

KeyRing *
key_ring_next(const KeyRing *self, const Digest *note)
{
    KeyRing *next = key_ring_new(self->org);

    next->version = self->version + 1;
    next->has_previous = true;
    next->previous = *note;
    for (guint i = 0; i < self->keys->len; i++) {
        const KeyRingKey *old = g_ptr_array_index(self->keys, i);
        KeyRingKey *key = key_ring_add(next, old->recipient, old->role, old->made);

        key->state = old->state;
        key->proof = old->proof;
        g_free(key->since);
        key->since = g_strdup(old->since);
        key->drilled = g_strdup(old->drilled);
    }
    for (guint i = 0; i < self->signers->len; i++) {
        const KeyRingSigner *old = g_ptr_array_index(self->signers, i);
        KeyRingSigner *signer = g_memdup2(old, sizeof(*old));

        signer->verifier_key = g_strdup(old->verifier_key);
        signer->enrolled = g_strdup(old->enrolled);
        signer->revoked = g_strdup(old->revoked);
        g_ptr_array_add(next->signers, signer);
    }
    return next;
}

KeyRingKey *
key_ring_add(KeyRing *self, const char *recipient, KeyRingRole role, const char *now)
{
    KeyRingKey *key = g_new0(KeyRingKey, 1);

    key->recipient = g_strdup(recipient);
    key->role = role;
    key->made = g_strdup(now);
    key->since = g_strdup(now);
    g_ptr_array_add(self->keys, key);
    return key;
}

KeyRingKey *
key_ring_find(const KeyRing *self, const char *recipient)
{
    for (guint i = 0; i < self->keys->len; i++) {
        KeyRingKey *key = g_ptr_array_index(self->keys, i);

        if (strcmp(key->recipient, recipient) == 0)
            return key;
    }
    return NULL;
}

GPtrArray *
key_ring_active(const KeyRing *self)
{
    GPtrArray *active = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < self->keys->len; i++) {
        const KeyRingKey *key = g_ptr_array_index(self->keys, i);

        if (key->state == KEY_RING_ACTIVE)
            g_ptr_array_add(active, g_strdup(key->recipient));
    }
    return active;
}

static const char *
or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

static void
write_signer(GString *text, const KeyRingSigner *signer)
{
    g_autofree char *sessions = digest_to_hex(&signer->sessions);

    g_string_append_printf(text, "signer %s %s", signer->verifier_key, signer->enrolled);
    if (signer->revoked == NULL) {
        g_string_append(text, " - - -\n");
    } else {
        g_string_append_printf(text, " %s %" G_GUINT64_FORMAT " %s\n", signer->revoked,
                               signer->n_records, sessions);
    }
}

char *
key_ring_to_text(const KeyRing *self)
{
    GString *text = g_string_new("sealtape-keyring/v1\n");
    g_autofree char *previous = digest_to_hex(&self->previous);

    g_string_append_printf(text, "org %s\nversion %u\nprev %s\nmade %s\nby %s\n", self->org,
                           self->version, self->has_previous ? previous : "-", self->made,
                           self->by);
    for (guint i = 0; i < self->keys->len; i++) {
        const KeyRingKey *key = g_ptr_array_index(self->keys, i);

        g_string_append_printf(text, "key %s %s %s %s %s %s %s\n", key->recipient,
                               key_ring_roles[key->role], key_ring_states[key->state],
                               key_ring_proofs[key->proof], key->made, key->since,
                               or_dash(key->drilled));
    }
    for (guint i = 0; i < self->signers->len; i++)
        write_signer(text, g_ptr_array_index(self->signers, i));
    return g_string_free(text, FALSE);
}

void
key_ring_free(KeyRing *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->made);
    g_free(self->by);
    g_ptr_array_unref(self->keys);
    g_ptr_array_unref(self->signers);
    g_free(self);
}
