#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The names of objects, in one place: docs/formats.md has the layout. Ids as in
 * age_context_id_is_valid(). All returned names are owned by the caller. */

/* Words of [a-z0-9._-] that start with a letter or digit, joined by `/`; at most 1024 bytes. */
bool object_key_is_valid(const char *key);

/* `t<track>/<part>-<first>.tape`, as manifests write it: relative to the session. */
char *object_key_tape(const char *track, uint32_t part, uint32_t first);

/* `<org>/<session>/`, then `relative`. */
char *object_key_join(const char *org, const char *session, const char *relative);

/* `<org>/<session>/manifest/<number>.note`. */
char *object_key_manifest(const char *org, const char *session, uint32_t number);

/* `<org>/<session>/notes/<number>.note`. */
char *object_key_annotation(const char *org, const char *session, uint32_t number);

/* `<org>/<session>/resealed/<number>.note`. */
char *object_key_reseal(const char *org, const char *session, uint32_t number);

/* `<org>/<session>/said/<digest>.sealed`; `digest`: of the object, in hexadecimal. */
char *object_key_statement(const char *org, const char *session, const char *digest);

/* Returns: `names` (GPtrArray of char *, borrowed) in byte order and each once, as a list of
 * objects has them; owned, as what it holds. */
GPtrArray *object_key_sort(const GPtrArray *names);

/* Whether the object, named within its session, is a key or sealed to one of its tracks alone:
 * envelopes, metadata and statements, of before and after a sealing anew. The rest is media, their
 * manifest, and what was told since. */
bool object_key_is_secret(const char *relative);

/* Reads the number in `<folder>/<number><suffix>` (`manifest/3.note`): canonical decimal from 1.
 * Returns: false where `relative` is no such name. */
bool object_key_parse_number(const char *relative, const char *folder, const char *suffix,
                             uint32_t *number) G_GNUC_WARN_UNUSED_RESULT;
