#include "storage/catalogue_queue.h"

enum { MAX_BATCH = 256, MAX_BYTES = 64 << 20 };

void
catalogue_queue_init(CatalogueQueue *self)
{
    g_queue_init(&self->waiting);
}

void
catalogue_queue_push(CatalogueQueue *self, CatalogueNews *news)
{
    const uint64_t n_bytes = catalogue_news_bytes(news);

    if (self->n_bytes + n_bytes > MAX_BYTES) {
        self->has_lost = true;
        catalogue_news_free(news);
        return;
    }
    self->n_bytes += n_bytes;
    g_queue_push_tail(&self->waiting, news);
}

GPtrArray *
catalogue_queue_take(CatalogueQueue *self, bool *has_lost)
{
    GPtrArray *batch = g_ptr_array_new_with_free_func((GDestroyNotify) catalogue_news_free);

    while (batch->len < MAX_BATCH && !g_queue_is_empty(&self->waiting)) {
        CatalogueNews *news = g_queue_pop_head(&self->waiting);

        self->n_bytes -= catalogue_news_bytes(news);
        g_ptr_array_add(batch, news);
    }
    self->n_in_hand = batch->len;
    *has_lost = *has_lost || self->has_lost;
    self->has_lost = false;
    return batch;
}

void
catalogue_queue_give_back(CatalogueQueue *self, GPtrArray *batch)
{
    self->n_in_hand = 0;
    while (batch->len > 0) {
        CatalogueNews *news = g_ptr_array_steal_index(batch, batch->len - 1);

        self->n_bytes += catalogue_news_bytes(news);
        g_queue_push_head(&self->waiting, news);
    }
}

uint64_t
catalogue_queue_count(const CatalogueQueue *self)
{
    return (uint64_t) self->waiting.length + self->n_in_hand;
}

void
catalogue_queue_clear(CatalogueQueue *self)
{
    g_queue_clear_full(&self->waiting, (GDestroyNotify) catalogue_news_free);
}
