#pragma once

#include "agent/opener/opener.h"

/* Decides once more, in a thread, about what is being streamed under `grant`, and revokes it where
 * that is no longer allowed, or can not be found out. Main thread. */
void grant_watch_look(Opener *opener, Grant *grant);
