#include "agent/recorder/sender_clocks.h"

struct SenderClock {
    GBytes *cname;
    DelayFloor floor;
    int64_t last_us;
    unsigned n_members;
};

struct SenderClocks {
    GPtrArray *clocks; /* SenderClock, each with a member: no more than there are tracks */
};

static void
free_clock(gpointer data)
{
    SenderClock *clock = data;

    g_bytes_unref(clock->cname);
    g_free(clock);
}

SenderClocks *
sender_clocks_new(void)
{
    SenderClocks *self = g_atomic_rc_box_new0(SenderClocks);

    self->clocks = g_ptr_array_new_with_free_func(free_clock);
    return self;
}

SenderClocks *
sender_clocks_ref(SenderClocks *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
clear(gpointer data)
{
    SenderClocks *self = data;

    g_ptr_array_unref(self->clocks);
}

void
sender_clocks_unref(SenderClocks *self)
{
    if (self != NULL)
        g_atomic_rc_box_release_full(self, clear);
}

SenderClock *
sender_clocks_join(SenderClocks *self, const SenderView *view)
{
    g_autoptr(GBytes) cname = g_bytes_new(view->cname, view->n_cname);

    for (guint i = 0; i < self->clocks->len; i++) {
        SenderClock *clock = g_ptr_array_index(self->clocks, i);
        const int64_t offset_us = sender_clock_offset_us(clock, view->at_us);

        /* Two machines may have no name, or the same by mistake. */
        if (g_bytes_equal(clock->cname, cname) &&
            ABS(offset_us - view->delay_us) <= SENDER_CLOCKS_MAX_SKEW_US) {
            clock->n_members++;
            return clock;
        }
    }
    SenderClock *clock = g_new0(SenderClock, 1);
    clock->cname = g_steal_pointer(&cname);
    clock->n_members = 1;
    clock->last_us = view->at_us;
    delay_floor_init(&clock->floor, view->at_us, view->delay_us);
    g_ptr_array_add(self->clocks, clock);
    return clock;
}

void
sender_clocks_leave(SenderClocks *self, SenderClock *clock)
{
    clock->n_members--;
    if (clock->n_members == 0)
        (void) g_ptr_array_remove_fast(self->clocks, clock); /* it is there */
}

void
sender_clock_add(SenderClock *clock, int64_t at_us, int64_t delay_us)
{
    /* Each track comes in order, but one after the other. */
    clock->last_us = MAX(clock->last_us, at_us);
    delay_floor_add(&clock->floor, clock->last_us, delay_us);
}

int64_t
sender_clock_offset_us(const SenderClock *clock, int64_t at_us)
{
    return delay_floor_at(&clock->floor, MAX(at_us, clock->last_us));
}
