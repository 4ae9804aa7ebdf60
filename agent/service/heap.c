#include "agent/service/heap.h"

#include <malloc.h>

/* Often enough that an hour shows no slope; so seldom that taking the pages again, once, costs
 * nothing that can be measured. */
enum { TEND_S = 60 };

void
heap_status(HeapStatus *status)
{
    const struct mallinfo2 all = mallinfo2();

    status->used_bytes = all.uordblks + all.hblkhd;
    status->spare_bytes = all.fordblks;
}

void
heap_give_back(void)
{
    (void) malloc_trim(0); /* 0: there was nothing to give */
}

static gboolean
on_tend(gpointer data)
{
    heap_give_back();
    return G_SOURCE_CONTINUE;
}

guint
heap_tend(void)
{
    return g_timeout_add_seconds(TEND_S, on_tend, NULL);
}
