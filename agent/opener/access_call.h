#pragma once

#include "agent/opener/opener.h"
#include "agent/opener/refusal.h"
#include "agent/service/http_service.h"

/* What every route begins with: no browser, and somebody who is known. */

/* Does what is asked; must see to it that `request` is answered. `caller`: borrowed. */
typedef void (*AccessCallFunc)(Opener *opener, HttpRequest *request, const Caller *caller);

/* Calls `call` later or at once, or answers why not. `org`: as caller_desk_identify(). */
void access_call_begin(Opener *opener, HttpRequest *request, const char *org, AccessCallFunc call);

/* Decides whether `caller` may do something that is about no session, and answers if not. */
bool access_call_may(Opener *opener, HttpRequest *request, const Caller *caller,
                     AccessAction action);
