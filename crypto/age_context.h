#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* Where a sealed file belongs, written as one more stanza of its age header. age ignores it and its
 * header MAC authenticates it; our reader refuses a file whose stanza is not the one asked for.
 *   -> sealtape-segment <org> <session> <track> <part> <index>
 *   -> sealtape-envelope <org> <session> <generation>
 *   -> sealtape-meta <org> <session>
 * An immutable value. */
typedef struct AgeContext AgeContext;

/* `org`, `session`, `track`: ids of [a-z0-9._-], 1 to 64 long, starting with a letter or digit (asserted; see age_context_id_is_valid). */
AgeContext *age_context_new_segment(const char *org, const char *session, const char *track,
                                    uint32_t part, uint32_t index);
AgeContext *age_context_new_envelope(const char *org, const char *session, uint32_t generation);
AgeContext *age_context_new_meta(const char *org, const char *session);

/* Returns: the stanza's words joined by one space (`sealtape-segment clinic-a ...`), borrowed. */
const char *age_context_text(const AgeContext *self);

/* The one rule for ids in stanzas, object names and manifests: [a-z0-9][a-z0-9._-]{0,63}. */
bool age_context_id_is_valid(const char *id);

void age_context_free(AgeContext *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeContext, age_context_free)
