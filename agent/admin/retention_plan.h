#pragma once

#include "agent/admin/custody.h"
#include "agent/admin/gone_list.h"
#include "agent/policy/retention.h"
#include "config/retention_settings.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the rules say of every recording of one organisation, today. Reads, changes nothing. */

typedef struct {
    char *session;
    RetentionVerdict verdict;
    bool is_begun; /* its erasure has begun, or a lock held it up: to be gone on with */
    bool is_busy;  /* and another run is at it right now */
    int64_t begun_at_unix_s;
    char *until;        /* YYYY-MM-DD; NULL: for ever */
    char *rule, *table; /* which says so; NULL: none */
    char *noted_until;  /* what its annotations say already; NULL: nothing */
    char *matters;      /* open holds, with commas; NULL: none */
    char *reason;       /* why it is erased: `retention`, or what two people or a consent say */
    uint32_t request;   /* of two people; 0: none */
    char *requested, *approved;
    char *fault; /* why nothing can be said of it: it is left alone; NULL: none */
} RetentionRow;

typedef struct {
    char *org;
    GPtrArray *rows; /* RetentionRow */
    char *today, *newest;
    GoneList *gone; /* to be written by who acts on the plan */
} RetentionPlan;

/* The rules of `org`, as its `.retention` file beside its other settings has them. Returns: owned;
 * with `error` unset NULL: it has none. Errors: any CONFIG_ERROR, of a rule that makes no sense
 * too.
 */
RetentionSettings *retention_plan_settings(const Settings *settings, const char *org,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `settings`: NULL: nothing is ever due but what people or consents want erased.
 * `trusts_clock`: a person says that the clock is right. Errors: the store's; INVALID - a rule. */
RetentionPlan *retention_plan_make(const Custody *custody, const char *org,
                                   const RetentionSettings *settings, bool trusts_clock,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

void retention_plan_free(RetentionPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RetentionPlan, retention_plan_free)
