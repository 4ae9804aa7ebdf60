#include "agent/recorder/port_pool.h"

struct PortPool {
    unsigned n_pairs;
    GMutex mutex;
    struct {
        GQueue free; /* ports, the longest rested one first */
    } locked;
};

PortPool *
port_pool_new(uint16_t first, uint16_t last)
{
    PortPool *self = g_new0(PortPool, 1);

    g_mutex_init(&self->mutex);
    g_queue_init(&self->locked.free);
    for (unsigned port = MAX((first + 1U) & ~1U, 2U); port + 1 <= last; port += 2) {
        g_queue_push_tail(&self->locked.free, GUINT_TO_POINTER(port));
        self->n_pairs++;
    }
    return self;
}

unsigned
port_pool_size(const PortPool *self)
{
    return self->n_pairs;
}

uint16_t
port_pool_take(PortPool *self)
{
    g_mutex_lock(&self->mutex);
    const unsigned port = GPOINTER_TO_UINT(g_queue_pop_head(&self->locked.free));
    g_mutex_unlock(&self->mutex);
    return (uint16_t) port;
}

void
port_pool_give_back(PortPool *self, uint16_t port)
{
    g_mutex_lock(&self->mutex);
    g_queue_push_tail(&self->locked.free, GUINT_TO_POINTER((unsigned) port));
    g_mutex_unlock(&self->mutex);
}

void
port_pool_free(PortPool *self)
{
    if (self == NULL)
        return;
    g_queue_clear(&self->locked.free);
    g_mutex_clear(&self->mutex);
    g_free(self);
}
