#pragma once

#include "agent/recorder/session.h"

/* By which rules a session runs: limits at its start, and new ones of its organisation meanwhile.
 * Main thread. */

/* The limits of the configuration. */
SessionLimits session_limits_of(const Settings *settings);

/* Decides by what its organisation's file says now, and pauses or resumes what that concerns; the
 * decision is in the spool, and durable with the next spool_commit(). */
void session_take_rules(Session *self);

/* After that commit: begins what is permitted now, and tells who watches. */
void session_go_on(Session *self);
