#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Which pairs of ports (an even one for RTP, the next for RTCP) of a range are ours at the moment.
 * Thread: any. */
typedef struct PortPool PortPool;

/* The pairs that lie in `first` to `last` whole. */
PortPool *port_pool_new(uint16_t first, uint16_t last);

unsigned port_pool_size(const PortPool *self); /* pairs */

/* Takes the pair that rests the longest, so that a late packet for its last owner finds no new one.
 * Returns: the even port; 0: all are taken. */
uint16_t port_pool_take(PortPool *self);
void port_pool_give_back(PortPool *self, uint16_t port);

/* NULL is allowed. */
void port_pool_free(PortPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PortPool, port_pool_free)
