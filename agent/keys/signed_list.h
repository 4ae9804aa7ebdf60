#pragma once

#include "crypto/digest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What a revoked program had signed of an organisation by then: the last manifest part of each
 * session, which names all those before it. The key ring names the list by its digest, beside which
 * it lies as `<sha256>.signed`; docs/formats.md has the text. A plain value. */

typedef struct {
    char *session;
    uint32_t number; /* of the last part it signed */
    Digest note;     /* of that part's whole note */
} SignedSession;

typedef struct {
    char *org;
    char *verifier_key;
    GPtrArray *sessions; /* SignedSession */
} SignedList;

SignedList *signed_list_new(const char *org, const char *verifier_key);
void signed_list_add(SignedList *self, const char *session, uint32_t number, const Digest *note);

/* Returns: borrowed; NULL for none. */
const SignedSession *signed_list_find(const SignedList *self, const char *session);

/* Returns: its text, owned. */
GBytes *signed_list_to_bytes(const SignedList *self);

/* Errors: CORRUPT (STORAGE_ERROR) - it is no such list, or not in its canonical form. */
SignedList *signed_list_parse(GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void signed_list_free(SignedList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignedList, signed_list_free)
