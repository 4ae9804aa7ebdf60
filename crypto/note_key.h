#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text form that signing and verifier keys of signed notes share, `<name>+<key id>+<base64>`,
 * taken apart. May hold a seed: the owner ends it with note_key_clear(), which wipes it. */

#define NOTE_KEY_ID_BYTES   4
#define NOTE_KEY_BYTES      32 /* of a public key, and of a seed */
#define NOTE_KEY_TEXT_BYTES 45 /* base64 of the algorithm and the key, with a NUL */

typedef struct {
    char *name;
    uint8_t id[NOTE_KEY_ID_BYTES]; /* as written, not yet compared with the computed one */
    uint8_t bytes[NOTE_KEY_BYTES];
} NoteKey;

/* Returns: whether a key may be called so: not empty, no space, no `+`, no control character. */
bool note_key_name_is_valid(const char *name, size_t n_bytes);

/* The first bytes of SHA-256(name, newline, algorithm, public key). */
void note_key_compute_id(const char *name, const uint8_t public_key[NOTE_KEY_BYTES],
                         uint8_t id[NOTE_KEY_ID_BYTES]);

/* Reads the text form (`n_text` bytes).
 * Returns: NULL with `self` set, or what is wrong (static; never a part of the text). */
const char *note_key_parse(NoteKey *self, const char *text, size_t n_text);

/* Returns: `<prefix><name>+<key id>+`, what stands before the base64, owned. */
char *note_key_text_start(const char *prefix, const char *name,
                          const uint8_t id[NOTE_KEY_ID_BYTES]);

/* Writes the base64 of algorithm and key, and a NUL. */
void note_key_encode(const uint8_t key[NOTE_KEY_BYTES], char text[NOTE_KEY_TEXT_BYTES]);

void note_key_clear(NoteKey *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NoteKey, note_key_clear)
