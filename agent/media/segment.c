#include "agent/media/segment.h"

#include <string.h>

void
segment_free(Segment *self)
{
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->n_pieces; i++) {
        explicit_bzero(self->pieces[i].iov_base, self->pieces[i].iov_len);
        g_free(self->pieces[i].iov_base);
    }
    g_free(self->pieces);
    g_free(self);
}
