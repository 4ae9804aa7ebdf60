#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Key material in locked memory that is wiped when freed and never part of a core file. All
 * secrets live in one arena reserved by crypto_start(), because a guarded block for each key runs
 * out of mappings. It is never copied out: pass the Secret itself, and let only crypto/ look
 * inside. Thread: any; the arena has its own lock. */
typedef struct Secret Secret;

/* Draws `n_bytes` (> 0) fresh random bytes.
 * Returns: a new Secret, owned by the caller.
 * Errors: CRYPTO_ERROR_NO_LOCKED_MEMORY - the arena is used up or was never locked. */
Secret *secret_new_random(size_t n_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reserves `n_bytes` (> 0) zero bytes to be filled through secret_bytes(). Errors: as above. */
Secret *secret_new_zero(size_t n_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the bytes, borrowed until secret_free(). For crypto/ and for reading a passphrase in. */
uint8_t *secret_bytes(Secret *self);
const uint8_t *secret_peek(const Secret *self);
size_t secret_length(const Secret *self);

/* Returns: whether both hold the same bytes; takes as long wherever they differ. */
bool secret_equal(const Secret *a, const Secret *b);

/* Shortens to the first `n_bytes` and wipes the rest (a passphrase read into a larger block). */
void secret_truncate(Secret *self, size_t n_bytes);

/* Wipes what calls that have returned left on this thread's stack: libsodium's frames hold copies
 * of what it multiplied, and the dynamic linker saves whole vector registers there when it binds a
 * function. To be called by whoever called what had a secret in hand. */
void secret_wipe_stack(void);

/* Wipes and releases; NULL is allowed. */
void secret_free(Secret *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Secret, secret_free)
