#pragma once

#include "crypto/signed_note.h"
#include "storage/object_store.h"
#include "storage/recording.h"

#include <glib.h>

/* The keys that tests of the store sign and read manifests with, made once for each program after
 * crypto_start(). */
const NoteSigner *visit_keys_signer(void);

/* GPtrArray of NoteVerifier that trusts that signer. */
GPtrArray *visit_keys_verifiers(void);

/* The same, of everything. */
const RecordingTrust *visit_keys_trust(void);

/* Hands the signer to another process through a file. */
void visit_keys_save(const char *path);
void visit_keys_load(const char *path);

/* Puts a real envelope, generation 1, for `session` of organisation `clinic-a`. */
void visit_keys_put_envelope(ObjectStore *store, const char *session);
void visit_keys_free(void);
