#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Who consents for a minor: by where the minor is, what the session is for, and the minor's age. A
 * pure decision. Plain borrowed values. */

typedef enum {
    CONSENT_MINORS_BOTH, /* the minor and a guardian */
    CONSENT_MINORS_GUARDIAN,
    CONSENT_MINORS_ALONE,
    CONSENT_MINORS_NEVER, /* no minor is recorded */
} ConsentMinors;

typedef struct {
    const char *jurisdiction; /* `US-CA`; `US`, which is all of it; NULL: anywhere */
    const char *service;      /* NULL: any */
    unsigned from_age;        /* in whole years: for who is that old, or older */
    ConsentMinors who;
} MinorsRow;

/* The first row that fits decides. */
typedef struct {
    const MinorsRow *rows;
    size_t n_rows;
    ConsentMinors otherwise; /* where none fits */
} MinorsRules;

typedef struct {
    const char *jurisdiction; /* where the minor is; NULL: not said. `US` leaves the state unsaid */
    const char *service;      /* what the session is for; NULL: not said */
    bool has_age;
    unsigned age; /* in whole years */
} MinorsFacts;

/* Returns: whose yes counts. Where what was not said would choose among rows, the strictest of
 * all that it could come to: `never`, then `both`, which is also what `guardian` and `alone` come
 * to together. What is none of the enum counts as `never`. */
ConsentMinors minors_decide(const MinorsRules *rules, const MinorsFacts *facts);

/* Returns: the word for it, as in the organisation's settings, static. */
const char *minors_text(ConsentMinors who);
