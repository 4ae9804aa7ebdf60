#pragma once

#include <stdbool.h>

/* Which openings of a recording count as disclosures that a client may ask an account of (45 CFR
 * 164.528): all but those for treatment, payment and operations, those to the client or who stands
 * for the client, and those that the client authorised, unless 42 CFR part 2
 * wants those told as well. Pure. */
typedef enum {
    DISCLOSURE_TPO,        /* treatment, payment, operations */
    DISCLOSURE_INDIVIDUAL, /* to the client, or who stands for the client */
    DISCLOSURE_AUTHORISED, /* the client consented to just this */
    DISCLOSURE_PART2,      /* the same, of what 42 CFR part 2 protects: counts (2.25) */
    DISCLOSURE_OTHER,      /* by law, public health, oversight, research: counts */
    N_DISCLOSURE_BASES,
} DisclosureBasis;

/* Returns: `tpo`, `individual`, `authorised`, `part2`, `other`: what stands in a record as its
 * `basis`; static. */
const char *disclosure_basis_text(DisclosureBasis basis);

/* `use`: a code of purpose of use. One that nobody knows counts. */
DisclosureBasis disclosure_basis_of(const char *use);

/* Whether a record with this `basis` counts; one without, or with one that nobody knows, does. */
bool disclosure_is_countable(const char *basis);
