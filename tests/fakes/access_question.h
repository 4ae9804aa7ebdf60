#pragma once

#include "agent/policy/access.h"

/* A question to access_decide() with everything in it, and each way to spoil it. */

#define SECOND_US ((int64_t) G_USEC_PER_SEC)
#define NOW_US    (1764000000 * SECOND_US)

#define ALL_ROLES   ((1U << N_ACCESS_ROLES) - 1)
#define ALL_ACTIONS ((1U << N_ACCESS_ACTIONS) - 1)
#define ALL_TRACKS  ((unsigned) (ACCESS_TRACKS_AUDIO | ACCESS_TRACKS_VIDEO | ACCESS_TRACKS_TEXT))

/* One question with everything in it that may be asked about; made right, then spoilt. */
typedef struct {
    AccessPolicy policy;
    AccessPerson person;
    AccessParticipant people[3];
    AccessSession session;
    AccessRequest request;
    int64_t now_us;
} AccessQuestion;

/* One thing spoilt, and the reason it gives. */
typedef struct {
    const char *what;
    AccessRole role;
    AccessAction action;
    const char *purpose;
    AccessReason reason;
    void (*spoil)(AccessQuestion *q);
} AccessFault;

extern const AccessFault access_faults[];
extern const size_t n_access_faults;

/* What may be taken away without anybody gaining by it. */
extern void (*const access_takes[])(AccessQuestion *q);
extern const size_t n_access_takes;

/* Somebody who has `role` and may do whatever the role may: own session, released, consented. */
AccessQuestion access_question_new(AccessRole role, AccessAction action, const char *purpose);
AccessDecision access_question_ask(AccessQuestion *self);

void access_question_take_clock(AccessQuestion *q);
void access_question_make_confidential(AccessQuestion *q);
