#include "agent/service/heap.h"

#include <malloc.h>

/* Often enough that an hour shows no slope; so seldom that taking the pages again, once, costs
 * nothing that can be measured. */
enum { TEND_S = 60 };

/* What an arena may keep at its end until then: one that shrinks with each segment takes fresh
 * pages for the next, which made sealing three times as dear. */
enum { HEAP_KEPT_BYTES = 64 << 20 };

void
heap_start(void)
{
    /* Either alone stops malloc from changing both. It can refuse a threshold only that is larger
     * than an arena may be. Nobody else runs yet. NOLINTBEGIN(concurrency-mt-unsafe) */
    (void) mallopt(M_MMAP_THRESHOLD, HEAP_MAPPED_BYTES);
    (void) mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);
    /* NOLINTEND(concurrency-mt-unsafe) */
}

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
