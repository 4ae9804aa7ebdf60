#pragma once

#include "agent/opener/refusal.h"
#include "agent/policy/access.h"
#include "agent/service/http_service.h"
#include "config/settings.h"

/* Answers `request` (which ends with this) with a problem document. With 401 the answer's
 * WWW-Authenticate says what would be good enough (RFC 6750, RFC 9470). */
void access_answer_refuse(HttpRequest *request, const Refusal *refusal);

/* Sets `refusal`: a second factor is needed, and what would be one (RFC 9470). `purpose`: of use.
 */
void access_answer_demand_mfa(Refusal *refusal, const OrgSettings *org, const char *purpose);
