#pragma once

#include "agent/recorder/packet_pool.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Puts packets back into order of sequence: one that comes early waits until those before it came
 * or were waited for long enough. Sequence numbers only, no clock of its own; owned by one
 * receiver. */
typedef struct ReorderWindow ReorderWindow;

enum {
    REORDER_WINDOW_PACKETS = 512, /* held at most; a power of two */
    REORDER_WINDOW_FAR = 3000,    /* MAX_DROPOUT of RFC 3550 A.1 */
};

typedef enum {
    REORDER_IS_NEXT,      /* nothing missing before it: give it on, then reorder_window_pass() */
    REORDER_IS_EARLY,     /* reorder_window_hold() it */
    REORDER_IS_BEYOND,    /* early, but take out (INT64_MAX) all that is held first */
    REORDER_IS_DUPLICATE, /* came before */
    REORDER_IS_LATE,      /* its place was given up */
    REORDER_IS_FAR,       /* no sender in its senses goes there: another stream, or noise */
} ReorderPlace;

/* `wait_us`: how long a missing packet is waited for. `pool`: borrowed, must outlive the window. */
ReorderWindow *reorder_window_new(int64_t wait_us, PacketPool *pool);

/* Begins anew at `sequence`, with nothing held (take out what is held first). */
void reorder_window_start(ReorderWindow *self, uint16_t sequence);

/* Returns: the sequence number that is due. */
uint16_t reorder_window_next(const ReorderWindow *self);

/* Changes nothing. */
ReorderPlace reorder_window_place(const ReorderWindow *self, uint16_t sequence);

/* Says whether this number is missing, while later ones came or nothing else is due before it. */
bool reorder_window_awaits(const ReorderWindow *self, uint16_t sequence);

/* Moves past the next packet, which was given on without being held. */
void reorder_window_pass(ReorderWindow *self);

/* Holds an early packet (taken), or one beyond when nothing else is held.
 * Returns: true if one with a higher number came before it. */
bool reorder_window_hold(ReorderWindow *self, HeldPacket *packet);

/* Takes out the next packet if it is there, or waited for since `now_us` - wait_us (INT64_MAX: give
 * up waiting at once). `n_missing`: how many before it were given up. Returns: owned by the caller,
 * NULL: none is due. */
HeldPacket *reorder_window_take_out(ReorderWindow *self, int64_t now_us,
                                    unsigned *n_missing) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: when a packet that waits now will be due; INT64_MAX: none waits. */
int64_t reorder_window_due_us(const ReorderWindow *self);

/* NULL is allowed. */
void reorder_window_free(ReorderWindow *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReorderWindow, reorder_window_free)
