#pragma once

#include "config/settings.h"
#include "crypto/key_ring.h"
#include "crypto/signed_note.h"

#include <glib.h>
#include <stdbool.h>

/* The key ring of one organisation, on its way to its next version: read, changed by the caller,
 * signed and written as a new file, never over one that is there. */
typedef struct {
    char *folder;
    KeyRing *ring; /* the last version */
    Digest digest; /* of its whole note */
    bool is_new;   /* there is none yet: `ring` is made of the organisation's file, version 1 */
} RingFile;

/* Reads the ring of `org`, or makes its first version of the recipients in the organisation's file,
 * the first of which is the organisation's and all others are for break-glass.
 * Errors: CONFIG_ERROR of org_key_ring_read(). */
RingFile *ring_file_open(const Settings *settings, const OrgSettings *org,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads it as org_key_ring_read() does, by the admins of `settings`. */
KeyRing *ring_file_read(const Settings *settings, const char *folder, const char *org, Digest *last,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: a copy to change, the next version (the first one if there is none), with `made` and
 * `by`; owned. */
KeyRing *ring_file_next(const RingFile *self, const char *by);

/* Signs `ring` and writes it. It must be one that counts: the signer one of `admins`
 * (`trusted_admins`), and the version one that may follow.
 * Errors: CONFIG_ERROR_INVALID - it would not count, and nothing was written; STORAGE_ERROR -
 * CONFLICT: another admin was faster. */
bool ring_file_write(RingFile *self, KeyRing *ring, const NoteSigner *signer, GPtrArray *admins,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: this moment as rings write it, owned. */
char *ring_file_now(void);

void ring_file_free(RingFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RingFile, ring_file_free)
