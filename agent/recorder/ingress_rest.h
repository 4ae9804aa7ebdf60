#pragma once

/* How long the ingress rests between two rounds. To wake for each packet would cost more than all
 * else, and arrivals are noted by the kernel, so that nothing is measured by the rest; but what
 * comes meanwhile must find room in its socket. */
typedef struct {
    unsigned n_room; /* packets that the smallest socket holds */
    unsigned max_ms;
    unsigned ms;
} IngressRest;

void ingress_rest_init(IngressRest *self, unsigned n_room);

/* `n_fullest`: how many packets the fullest socket held in the round that is over.
 * Returns: milliseconds to rest now. */
unsigned ingress_rest_next(IngressRest *self, unsigned n_fullest);
