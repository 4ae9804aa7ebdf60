#include "agent/recorder/reorder_window.h"

enum {
    SLOT_MASK = REORDER_WINDOW_PACKETS - 1,
    /* How far back duplicates and late packets are told apart; older ones are far. */
    MEMORY_PACKETS = REORDER_WINDOW_PACKETS,
};

struct ReorderWindow {
    PacketPool *pool;
    int64_t wait_us;
    uint16_t next; /* the sequence number that is due */
    unsigned n_held;
    unsigned n_ahead;   /* how far the highest held one is ahead of `next`, plus 1; 0: none */
    unsigned n_skipped; /* given up on the way to where the next one fits */
    int64_t hole_since_us;
    HeldPacket *slots[REORDER_WINDOW_PACKETS];
    uint64_t has_come[MEMORY_PACKETS / 64]; /* of the numbers just before `next` */
};

ReorderWindow *
reorder_window_new(int64_t wait_us, PacketPool *pool)
{
    ReorderWindow *self = g_new0(ReorderWindow, 1);

    self->wait_us = wait_us;
    self->pool = pool;
    return self;
}

static bool
came(const ReorderWindow *self, uint16_t sequence)
{
    const unsigned bit = sequence % MEMORY_PACKETS;

    return (self->has_come[bit / 64] >> (bit % 64) & 1) != 0;
}

/* Moves `next` by one and remembers whether that number came. */
static void
step(ReorderWindow *self, bool has_come)
{
    const unsigned bit = self->next % MEMORY_PACKETS;
    const uint64_t mask = UINT64_C(1) << (bit % 64);

    if (has_come) {
        self->has_come[bit / 64] |= mask;
    } else {
        self->has_come[bit / 64] &= ~mask;
    }
    self->next++;
    if (self->n_ahead > 0)
        self->n_ahead--;
}

void
reorder_window_start(ReorderWindow *self, uint16_t sequence)
{
    g_assert(self->n_held == 0);
    self->next = sequence;
    self->n_ahead = 0;
    self->n_skipped = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(self->has_come); i++)
        self->has_come[i] = 0;
}

uint16_t
reorder_window_next(const ReorderWindow *self)
{
    return self->next;
}

ReorderPlace
reorder_window_place(const ReorderWindow *self, uint16_t sequence)
{
    const int ahead = (int16_t) (uint16_t) (sequence - self->next);

    if (ahead >= REORDER_WINDOW_FAR || ahead < -MEMORY_PACKETS)
        return REORDER_IS_FAR;
    if (ahead < 0)
        return came(self, sequence) ? REORDER_IS_DUPLICATE : REORDER_IS_LATE;
    if (ahead >= REORDER_WINDOW_PACKETS)
        return REORDER_IS_BEYOND;
    if (self->slots[sequence & SLOT_MASK] != NULL)
        return REORDER_IS_DUPLICATE;
    return ahead == 0 && self->n_held == 0 ? REORDER_IS_NEXT : REORDER_IS_EARLY;
}

bool
reorder_window_awaits(const ReorderWindow *self, uint16_t sequence)
{
    const uint16_t ahead = (uint16_t) (sequence - self->next);

    return ahead < MAX(self->n_ahead, 1) && self->slots[sequence & SLOT_MASK] == NULL;
}

void
reorder_window_pass(ReorderWindow *self)
{
    step(self, true);
}

bool
reorder_window_hold(ReorderWindow *self, HeldPacket *packet)
{
    unsigned ahead = (uint16_t) (packet->header.sequence - self->next);

    for (; ahead >= REORDER_WINDOW_PACKETS && self->n_held == 0; ahead--) {
        step(self, false);
        self->n_skipped++;
    }
    g_assert(ahead < REORDER_WINDOW_PACKETS &&
             self->slots[packet->header.sequence & SLOT_MASK] == NULL);

    if (self->n_held == 0)
        self->hole_since_us = packet->arrival_us;
    self->slots[packet->header.sequence & SLOT_MASK] = packet;
    self->n_held++;
    if (ahead + 1 <= self->n_ahead)
        return true;
    self->n_ahead = ahead + 1;
    return false;
}

HeldPacket *
reorder_window_take_out(ReorderWindow *self, int64_t now_us, unsigned *n_missing)
{
    *n_missing = 0;
    if (self->n_held == 0)
        return NULL;
    const bool is_due = now_us == INT64_MAX || now_us - self->hole_since_us >= self->wait_us;
    if (self->slots[self->next & SLOT_MASK] == NULL && !is_due)
        return NULL;

    for (; self->slots[self->next & SLOT_MASK] == NULL; self->n_skipped++)
        step(self, false);
    HeldPacket *packet = self->slots[self->next & SLOT_MASK];
    self->slots[self->next & SLOT_MASK] = NULL;
    step(self, true);
    self->n_held--;
    *n_missing = self->n_skipped;
    self->n_skipped = 0;

    /* The next hole is as old as the packet behind it. */
    for (unsigned i = 0; self->n_held > 0 && i < self->n_ahead; i++) {
        const HeldPacket *behind = self->slots[(self->next + i) & SLOT_MASK];
        if (behind != NULL) {
            self->hole_since_us = behind->arrival_us;
            break;
        }
    }
    return packet;
}

int64_t
reorder_window_due_us(const ReorderWindow *self)
{
    return self->n_held > 0 ? self->hole_since_us + self->wait_us : INT64_MAX;
}

void
reorder_window_free(ReorderWindow *self)
{
    if (self == NULL)
        return;
    for (unsigned i = 0; i < REORDER_WINDOW_PACKETS; i++)
        packet_pool_give_back(self->pool, self->slots[i]);
    g_free(self);
}
