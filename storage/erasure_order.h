#pragma once

#include "storage/erasure.h"
#include "storage/erasure_note.h"

#include <glib.h>
#include <stdbool.h>

/* Orders and certificates in the store. For erasure.c. */

/* Puts the order, unless one lies there: everything that the session holds, with what its signed
 * manifest says of the bytes. */
bool erasure_order_place(const ErasureOrder *order, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the note behind `notes` (GPtrArray of GBytes, as they lie there), without facts; owned.
 * `id`: NULL: a new one. */
ErasureNote *erasure_order_next(const ErasureOrder *order, ErasurePart part, const GPtrArray *notes,
                                const char *id);

/* Signs and puts it under its number. Returns: the hexadecimal digest of the whole note, owned. */
char *erasure_order_put(const ErasureOrder *order, const ErasureNote *note,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
