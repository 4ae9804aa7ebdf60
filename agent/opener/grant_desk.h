#pragma once

#include "agent/opener/opener.h"
#include "agent/opener/refusal.h"

/* Decides about grants, in threads, since the store may take its time. */

/* Told once, in the main thread: `grant` (borrowed, in the table), or why not (borrowed). */
typedef void (*GrantDeskDone)(Grant *grant, const Refusal *refusal, void *user_data);

/* `request`: taken. `done` may be called before this returns. */
void grant_desk_ask(Opener *opener, const Caller *caller, GrantRequest *request, GrantDeskDone done,
                    void *user_data);
