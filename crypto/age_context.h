#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Where a sealed file belongs, written as the first stanza of its age header, with an empty body.
 * age ignores it and its header MAC authenticates it; our reader refuses a file whose stanza is not
 * the one asked for.
 *   -> sealtape-segment <org> <session> <track> <part> <index>
 *   -> sealtape-envelope <org> <session> <generation>
 *   -> sealtape-meta <org> <session>
 *   -> sealtape-statement <org> <session> <track>, whose key opens it
 *   -> sealtape-past <org> <session> <track> <part> <first index>, whose key opens it
 * An immutable value. */
typedef struct AgeContext AgeContext;

/* What the type of every such stanza starts with. */
#define AGE_CONTEXT_PREFIX "sealtape-"

/* `org`, `session`, `track`: valid ids (asserted; see age_context_id_is_valid). */
AgeContext *age_context_new_segment(const char *org, const char *session, const char *track,
                                    uint32_t part, uint32_t index);
AgeContext *age_context_new_envelope(const char *org, const char *session, uint32_t generation);
AgeContext *age_context_new_meta(const char *org, const char *session);
AgeContext *age_context_new_statement(const char *org, const char *session, const char *track);
AgeContext *age_context_new_past(const char *org, const char *session, const char *track,
                                 uint32_t part, uint32_t first);

/* For readers that open any age file, ours from any place included: `sealtape age decrypt`. Never
 * for sealing.
 * Returns: the one such value, never freed. */
const AgeContext *age_context_any(void);

/* Returns: the stanza's words joined by one space (`sealtape-segment clinic-a ...`), borrowed. */
const char *age_context_text(const AgeContext *self);

/* Whether a file of this place names its recipients (age_seal_list.h): all that are sealed to an
 * organisation do, and so no segment, no statement and no past. */
bool age_context_lists_recipients(const AgeContext *self);

/* The one rule for ids in stanzas, object names and manifests: [a-z0-9][a-z0-9._-]{0,63}. */
bool age_context_id_is_valid(const char *id);

void age_context_free(AgeContext *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeContext, age_context_free)
