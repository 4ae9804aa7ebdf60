#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Notices that a library was called and does not return: hostile media may make a decoder run
 * without end. Who calls says so before and after; somebody else looks from time to time. */
typedef struct StallGuard StallGuard;

StallGuard *stall_guard_new(int64_t limit_us);

/* Before and after a call. `what` (borrowed until left) is a few words for the user: `the decoder
 * of track p1-video`. Calls do not nest. */
void stall_guard_enter(StallGuard *self, const char *what);
void stall_guard_leave(StallGuard *self);

/* Any thread. Returns: what has been inside for longer than the limit, owned, and who calls is then
 * given up; NULL if nothing. */
char *stall_guard_stuck(StallGuard *self);

/* Whether nobody waits any more for who calls: what was borrowed may be gone. */
bool stall_guard_is_given_up(StallGuard *self);

void stall_guard_free(StallGuard *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StallGuard, stall_guard_free)
