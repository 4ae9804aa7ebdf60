#pragma once

#include "crypto/digest.h"
#include "crypto/signed_note.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* C2SP tlog-checkpoint (c2sp.org/tlog-checkpoint): a signed note of an origin, a tree's size in
 * decimal and its root in base64, a line each. Extension lines are read over. */
typedef struct {
    char *origin;
    uint64_t n_leaves;
    Digest root;
} Checkpoint;

/* `self->origin`: not empty, no control characters. Returns: the whole note, owned. */
char *checkpoint_sign(const Checkpoint *self, const NoteSigner *signer) G_GNUC_WARN_UNUSED_RESULT;

/* Reads one that one of `verifiers` (GPtrArray of NoteVerifier) signed into `self`, which is zero
 * or cleared. Errors: as note_open(); MALFORMED - signed, but no checkpoint. */
bool checkpoint_open(Checkpoint *self, GBytes *note, GPtrArray *verifiers,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

void checkpoint_clear(Checkpoint *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Checkpoint, checkpoint_clear)
