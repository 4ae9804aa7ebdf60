#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Until when a recording is kept: a table of rules, each for a class of recordings, of which the
 * latest counts. Pure: whole days, no clock, no time zone; who asks brings the days. */

/* What a recording may be; it may be several at once. */
typedef enum {
    RETENTION_ADULT = 1 << 0,      /* nobody in it is known to be a minor */
    RETENTION_MINOR = 1 << 1,      /* somebody in it is, or may be */
    RETENTION_TRANSCRIPT = 1 << 2, /* it has a transcript */
    RETENTION_QUARANTINE = 1 << 3, /* it waits for somebody to look at it */
    RETENTION_ANY = 1 << 4,        /* always */
} RetentionClass;

/* One row. It keeps for `years` and `days` from the last day of the session, and where `until_age`
 * is not 0 also until the youngest in it is that old, whichever is later. */
typedef struct {
    const char *id; /* borrowed */
    RetentionClass of;
    uint16_t years;
    uint32_t days;
    uint8_t until_age; /* years; 0: age does not matter */
} RetentionRule;

typedef struct {
    const char *version; /* of the table: named with each date; borrowed */
    const RetentionRule *rules;
    size_t n_rules;
} RetentionTable;

/* What is known of a recording. */
typedef struct {
    unsigned classes; /* bits of RetentionClass; RETENTION_ANY is added */
    GDate end;        /* its last day, where the organisation is */
    GDate birth;      /* of the youngest in it; not valid: not known, and then the last day counts,
                         as if born on it: never kept too short */
} RetentionFacts;

typedef struct {
    GDate until;               /* the last day on which it must be kept; not valid: for ever */
    const RetentionRule *rule; /* which says so; NULL: none applies, so it is kept for ever */
} RetentionDate;

/* The same day so many years later; from 29 February to 1 March where there is none, so that
 * nothing ends a day early. */
GDate retention_add_years(const GDate *day, unsigned years);

/* Returns: the latest day of all rules that apply. Of two that agree the first in the table is
 * named. */
RetentionDate retention_compute(const RetentionTable *table, const RetentionFacts *facts);

/* Reads a row as administrators write it: `adult-7y: adult 7 years`, `minor-az: minor 6 years, age
 * 21`, `look: quarantine 90 days`. `id`: out, owned by the caller. Returns: false for anything
 * else, and for a rule that keeps nothing for a single day. */
bool retention_rule_parse(const char *text, RetentionRule *rule,
                          char **id) G_GNUC_WARN_UNUSED_RESULT;

/* What speaks against a deletion, first match wins. */
typedef enum {
    RETENTION_DUE,
    RETENTION_NOT_YET,      /* a day on which it must be kept has not passed */
    RETENTION_NO_RULE,      /* nothing says how long: it is kept */
    RETENTION_ON_HOLD,      /* an open matter beats everything */
    RETENTION_OPEN,         /* its session has not ended */
    RETENTION_CLOCK_BEHIND, /* the store knows of later days than this host's clock */
    RETENTION_CLOCK_AHEAD,  /* nothing in the store is anywhere near as late */
} RetentionVerdict;

typedef struct {
    bool has_ended, is_on_hold;
    bool must_erase;      /* a withdrawn consent, or two people: no date is waited for */
    GDate until;          /* the latest day that was computed or noted; not valid: none */
    GDate today;          /* by this host's clock */
    GDate newest;         /* the latest day that the store gives evidence of; not valid: none */
    unsigned n_lead_days; /* how far the clock may be ahead of that */
} RetentionCase;

RetentionVerdict retention_judge(const RetentionCase *facts);

/* Returns: `not-yet` and the like, static. */
const char *retention_verdict_name(RetentionVerdict verdict);
