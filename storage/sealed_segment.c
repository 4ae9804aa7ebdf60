#include "storage/sealed_segment.h"

void
sealed_segment_free(SealedSegment *self)
{
    if (self == NULL)
        return;
    g_free(self->session);
    g_free(self->track);
    g_clear_pointer(&self->sealed, g_bytes_unref);
    g_free(self);
}
