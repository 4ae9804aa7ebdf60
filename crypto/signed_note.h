#pragma once

#include "crypto/secret.h"

#include <glib.h>

/* C2SP signed notes (c2sp.org/signed-note) with Ed25519: text, an empty line, and lines
 * `— <name> <base64(key id || signature)>`. Signers and verifiers are immutable; any thread. */
typedef struct NoteSigner NoteSigner;
typedef struct NoteVerifier NoteVerifier;

/* Draws a signing key. `name`: of the key, non-empty, no space, no `+`. Errors: NO_LOCKED_MEMORY,
 * MALFORMED. */
NoteSigner *note_signer_generate(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads `PRIVATE+KEY+<name>+<hex key id>+<base64>` as written by the reference implementation.
 * Errors: MALFORMED - never echoes it. */
NoteSigner *note_signer_parse(const Secret *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: that text and a newline, owned. Errors: NO_LOCKED_MEMORY. */
Secret *note_signer_to_text(const NoteSigner *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the verifier key `<name>+<hex key id>+<base64>`, owned. */
char *note_signer_verifier_key(const NoteSigner *self);

/* Signs `text` (UTF-8, ends in a newline, no other control characters: asserted).
 * Returns: the whole note, owned. */
char *note_sign(const NoteSigner *self, const char *text) G_GNUC_WARN_UNUSED_RESULT;
void note_signer_free(NoteSigner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NoteSigner, note_signer_free)

/* Reads a verifier key. Errors: MALFORMED - names what is wrong (name, key id, algorithm, base64).
 */
NoteVerifier *note_verifier_parse(const char *verifier_key,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
const char *note_verifier_name(const NoteVerifier *self);
void note_verifier_free(NoteVerifier *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NoteVerifier, note_verifier_free)

/* Checks `note` against any of `verifiers` (GPtrArray of NoteVerifier). Signatures by unknown keys
 * are ignored; a wrong one by a known key is an error. Returns: the signed text, owned. Errors:
 * MALFORMED; NO_MATCH - signed, but by none of these; AUTHENTICATION. */
char *note_open(const char *note, gsize n_bytes, GPtrArray *verifiers,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
