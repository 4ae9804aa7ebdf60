#include "agent/recorder/ingress_rest.h"

#include <glib.h>

enum {
    LEAST_MS = 10,
    /* Longer rests save little, and a keyframe is asked for no sooner than after one. */
    MOST_MS = 200,
    /* A source may begin with so many packets in a millisecond (more than 9 Mbit/s) while nobody
     * expects it, and half the room is left for a keyframe, which comes all at once. */
    EXPECTED_PER_MS = 1,
};

void
ingress_rest_init(IngressRest *self, unsigned n_room)
{
    self->n_room = n_room;
    self->max_ms = CLAMP(n_room / 2 / EXPECTED_PER_MS, (unsigned) LEAST_MS, (unsigned) MOST_MS);
    self->ms = LEAST_MS;
}

/* Halved when a socket was a quarter full, as long again by a quarter when none was an eighth. */
unsigned
ingress_rest_next(IngressRest *self, unsigned n_fullest)
{
    if (n_fullest > self->n_room / 4) {
        self->ms = MAX(self->ms / 2, (unsigned) LEAST_MS);
    } else if (n_fullest <= self->n_room / 8) {
        self->ms = MIN(self->ms + self->ms / 4, self->max_ms);
    }
    return self->ms;
}
