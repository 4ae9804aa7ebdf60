#pragma once

#include "agent/opener/opener.h"
#include "agent/opener/refusal.h"
#include "agent/service/http_service.h"

/* Finds out who sends a request: by its token, or, on the Unix socket and without one, by the user
 * that the kernel says. */

/* Told once, in the main thread: `caller` (borrowed), or why not (borrowed). */
typedef void (*CallerDeskDone)(const Caller *caller, const Refusal *refusal, void *user_data);

/* `org`: in which a local operator asks; NULL: the only one. May call `done` before it returns, or
 * later: an issuer may have to be asked for its keys. */
void caller_desk_identify(Opener *opener, const HttpRequest *request, const char *org,
                          CallerDeskDone done, void *user_data);
