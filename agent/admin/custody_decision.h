#pragma once

#include "agent/admin/custody.h"
#include "agent/policy/access.h"

/* Whether whoever runs this program may say `next` of a recording, by the organisation's file and
 * the table of roles: releases, holds, restrictions, amendments, the end of a quarantine, erasures.
 * What else is told (a quarantine, a consent taken back, what rules of retention come to) keeps
 * more apart, or is no decision of a person: that is ACCESS_OK without a role. */
AccessDecision custody_decide(const Custody *self, const AnnotationView *view,
                              const Annotation *next);

/* Says why not, for `reason` other than ACCESS_OK. */
void custody_refuse(const Custody *self, const AnnotationView *view, const Annotation *next,
                    AccessReason reason, GError **error);

/* Asks the same table about recordings of `org` as such, before any is looked at; `event` brings
 * the purpose of use for ACCESS_PLAY, and is given role and policy. A refusal is told to the
 * auditors as that event, with the reason. */
bool custody_may(const Custody *self, const char *org, AccessAction action, AuditEvent *event,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
