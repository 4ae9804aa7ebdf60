#pragma once

#include "crypto/digest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The keys of one organisation and what each is for, in numbered versions: docs/formats.md has the
 * text. Signing and chaining are its callers'; here is what one version says, and what the next may
 * change. A plain value. */

typedef enum {
    KEY_RING_ACTIVE,    /* new sessions are sealed to it */
    KEY_RING_OPEN_ONLY, /* opens what was sealed before */
    KEY_RING_RETIRED,   /* nothing that is kept needs it */
    KEY_RING_DESTROYED, /* its secret half is gone, as far as anyone can say */
    N_KEY_RING_STATES,
} KeyRingState;

typedef enum {
    KEY_RING_ORGANISATION,
    KEY_RING_BREAK_GLASS, /* kept offline, for emergencies */
    N_KEY_RING_ROLES,
} KeyRingRole;

/* What shows that somebody can open with it. */
typedef enum {
    KEY_RING_LISTED, /* taken over from the organisation's file */
    KEY_RING_OPENED, /* opened a challenge when it was added */
    KEY_RING_ESCROW, /* somebody said where its secret half is */
    N_KEY_RING_PROOFS,
} KeyRingProof;

typedef struct {
    char *recipient; /* age1... */
    KeyRingRole role;
    KeyRingState state;
    KeyRingProof proof;
    char *made; /* all times are `2026-11-29T07:00:00Z` */
    char *since;
    char *drilled; /* when it last opened a session for a drill; NULL: never */
} KeyRingKey;

/* A program whose signature counts, or did until it was revoked. */
typedef struct {
    char *verifier_key;
    char *enrolled;
    char *revoked;      /* NULL: it counts */
    uint64_t n_records; /* revoked: its audit log counts up to so many records */
    Digest sessions;    /* revoked: of the list of sessions that it still vouches for */
} KeyRingSigner;

typedef struct {
    char *org;
    uint32_t version; /* from 1 */
    bool has_previous;
    Digest previous; /* of the whole note of the version before */
    char *made;
    char *by;           /* who, as an id of 64 printable characters at most */
    GPtrArray *keys;    /* KeyRingKey */
    GPtrArray *signers; /* KeyRingSigner */
} KeyRing;

KeyRing *key_ring_new(const char *org);

/* Returns: the version after `self`, whose whole note has the digest `note`; owned. Its `made` and
 * `by` are to be set. */
KeyRing *key_ring_next(const KeyRing *self, const Digest *note);

/* Adds a row; `now`: both its times. Returns: borrowed. */
KeyRingKey *key_ring_add(KeyRing *self, const char *recipient, KeyRingRole role, const char *now);

/* Returns: borrowed; NULL for none. */
KeyRingKey *key_ring_find(const KeyRing *self, const char *recipient);

/* Returns: GPtrArray of char *, owned: the recipients of new sessions. */
GPtrArray *key_ring_active(const KeyRing *self);

/* Returns: the text to be signed, owned. */
char *key_ring_to_text(const KeyRing *self);

void key_ring_free(KeyRing *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyRing, key_ring_free)
