#include "agent/recorder/sender_clocks.h"

enum {
    /* After so much silence of the one that leads another one does. */
    SILENT_US = 2 * G_USEC_PER_SEC,
    /* So long after a silence what a stream's quickest packets are is a guess. */
    GUESS_US = 10 * G_USEC_PER_SEC,
};

typedef struct {
    GBytes *cname;
    unsigned n_members;
    const SenderMember *leader; /* NULL: it left */
    int64_t offset_us;
} SenderClock;

struct SenderMember {
    SenderClock *clock;
    int64_t slower_us; /* than the quickest */
    int64_t since_us;  /* it is not silent */
    int64_t heard_us;
};

struct SenderClocks {
    GPtrArray *clocks; /* SenderClock, each with a member: never more than tracks */
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

/* Returns: the clock of this name that tells about the time of `view`; NULL: there is none. */
static SenderClock *
find_clock(const SenderClocks *self, const SenderView *view, GBytes *cname)
{
    for (guint i = 0; i < self->clocks->len; i++) {
        SenderClock *clock = g_ptr_array_index(self->clocks, i);

        /* Two machines may have no name, or the same by mistake. */
        if (g_bytes_equal(clock->cname, cname) &&
            ABS(view->delay_us - clock->offset_us) <= SENDER_CLOCKS_MAX_SKEW_US)
            return clock;
    }
    return NULL;
}

SenderMember *
sender_clocks_join(SenderClocks *self, const SenderView *view)
{
    g_autoptr(GBytes) cname = g_bytes_new(view->cname, view->n_cname);
    SenderMember *member = g_new0(SenderMember, 1);

    member->clock = find_clock(self, view, cname);
    if (member->clock == NULL) {
        member->clock = g_new0(SenderClock, 1);
        member->clock->cname = g_steal_pointer(&cname);
        member->clock->offset_us = view->delay_us;
        g_ptr_array_add(self->clocks, member->clock);
    }
    member->clock->n_members++;
    member->slower_us = view->delay_us - member->clock->offset_us;
    member->since_us = INT64_MIN / 2;
    member->heard_us = view->at_us;
    return member;
}

void
sender_clocks_leave(SenderClocks *self, SenderMember *member)
{
    SenderClock *clock = member->clock;

    if (clock->leader == member)
        clock->leader = NULL;
    clock->n_members--;
    if (clock->n_members == 0)
        (void) g_ptr_array_remove_fast(self->clocks, clock); /* it is there */
    g_free(member);
}

/* Learns how much slower than the leader it is, and leads if it is not. */
static void
compare(SenderMember *self, int64_t delay_us)
{
    self->slower_us = delay_us - self->clock->offset_us;
    if (self->slower_us >= 0)
        return;
    self->slower_us = 0;
    self->clock->leader = self;
}

int64_t
sender_member_offset_us(SenderMember *self, int64_t at_us, int64_t delay_us)
{
    SenderClock *clock = self->clock;

    if (at_us - self->heard_us > SILENT_US)
        self->since_us = at_us;
    self->heard_us = at_us;
    if (clock->leader == NULL || at_us - clock->leader->heard_us > SILENT_US) {
        clock->leader = self;
        self->slower_us = MAX(self->slower_us, 0);
    } else if (clock->leader != self && at_us - self->since_us > GUESS_US) {
        compare(self, delay_us);
    }
    if (clock->leader == self)
        clock->offset_us = delay_us - self->slower_us;
    return clock->offset_us;
}
