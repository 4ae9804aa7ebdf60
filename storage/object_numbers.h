#pragma once

#include <glib.h>
#include <stdint.h>

/* Objects that are counted: envelopes, parts of a manifest, notes. */

/* Returns: GArray of uint32_t, owned: n of each `<prefix><folder>/<n><suffix>` among `keys` (all
 * begin with `prefix`), ascending. */
GArray *object_numbers_list(const GPtrArray *keys, const char *prefix, const char *folder,
                            const char *suffix);

/* Returns: the last of them; 0: there is none. */
uint32_t object_numbers_newest(const GPtrArray *keys, const char *prefix, const char *folder,
                               const char *suffix);
