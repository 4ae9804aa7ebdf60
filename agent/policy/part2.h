#pragma once

#include "agent/policy/consent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records of who is treated for a substance use disorder (42 CFR part 2): which consent of the
 * client's they need to leave their organisation, and what goes with them. As pure as
 * consent_decide(). */

typedef enum {
    PART2_NONE,
    PART2_RECORD,
    PART2_NOTES, /* counselling notes: a consent of their own, which no other stands in for */
} Part2Label;

typedef enum {
    PART2_CONSENT_TPO = 1 << 0,   /* every later treatment, payment and operation */
    PART2_CONSENT_OTHER = 1 << 1, /* anything else but a proceeding */
    PART2_CONSENT_LEGAL = 1 << 2, /* proceedings against the client */
    PART2_CONSENT_NOTES = 1 << 3,
} Part2Consents;

enum { PART2_N_CONSENTS = 4 };

/* Returns: PART2_NONE for what is no label. */
Part2Label part2_label(const char *name);

/* Returns: `part2`, `sud-notes`, static; NULL of PART2_NONE. */
const char *part2_label_text(Part2Label label);

/* Returns: the purpose of 1 << `i` of Part2Consents, as a consent names it, static. */
const char *part2_purpose(size_t i);

/* Which consents (of Part2Consents) it takes to open a recording with `label` for `use`, a code of
 * purpose of use. `is_outside`: for somebody else than who opens it. */
unsigned part2_needs(Part2Label label, const char *use, bool is_outside);

/* Which of them all clients in `session` have given, as consent_decide() says by the rules of
 * `policy`, with a proof and for `recipient` (NULL: nobody outside). */
unsigned part2_consents(const ConsentPolicy *policy, const ConsentSession *session,
                        const char *recipient, int64_t now_us);

/* Returns: what `client` said last of `purpose` for `recipient`, borrowed; NULL: nothing. */
const ConsentRecord *part2_bound(const ConsentParticipant *client, const char *purpose,
                                 const char *recipient);

/* Returns: what has to go with each copy (42 CFR 2.32(a)(1), and the one of (a)(2)), static. */
const char *part2_notice(void);
const char *part2_short_notice(void);
