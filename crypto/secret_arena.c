#include "crypto/secret_arena.h"

#include "crypto/crypto_error.h"

#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CANARY_BYTES 16

/* Slots of one size. A recorder holds two or three small secrets for each session being opened, so
 * those are many; only whole envelopes and identity files need the large ones. */
typedef struct {
    const size_t n_bytes; /* usable; the canary stands behind */
    const size_t n_slots;
    uint8_t *first;
    uint16_t *free; /* a stack of the indices of free slots */
    size_t n_free;
} SlotClass;

static struct {
    GMutex mutex;
    struct {
        SlotClass classes[4];
        bool is_started;
        uint8_t canary[CANARY_BYTES];
    } locked;
} arena = {
    .locked.classes =
        {
                         {.n_bytes = 128, .n_slots = 8192},
                         {.n_bytes = 1024, .n_slots = 256},
                         {.n_bytes = 8192, .n_slots = 32},
                         {.n_bytes = SECRET_ARENA_MAX_BYTES, .n_slots = 12},
                         },
};

static size_t
stride_of(const SlotClass *slots)
{
    return slots->n_bytes + CANARY_BYTES;
}

static size_t
total_bytes(void)
{
    size_t total = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(arena.locked.classes); i++)
        total += stride_of(&arena.locked.classes[i]) * arena.locked.classes[i].n_slots;
    const size_t page = (size_t) sysconf(_SC_PAGESIZE);
    return (total + page - 1) / page * page;
}

/* Returns: `n_bytes` of locked, never dumped, never inherited memory between guard pages, or NULL.
 * The right to lock all of it is taken now; a page is locked, and counts, from its first use on, so
 * that a program with one key does not hold the memory of one with thousands. */
static uint8_t *
map_locked(size_t n_bytes)
{
    const size_t page = (size_t) sysconf(_SC_PAGESIZE);
    uint8_t *guarded =
        mmap(NULL, n_bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (guarded == MAP_FAILED)
        return NULL;
    uint8_t *inside = guarded + page;
    /* A lock does not pass to a child, so a child must not have the pages at all. */
    if (mprotect(inside, n_bytes, PROT_READ | PROT_WRITE) != 0 ||
        madvise(inside, n_bytes, MADV_DONTFORK) != 0 ||
        madvise(inside, n_bytes, MADV_DONTDUMP) != 0 ||
        mlock2(inside, n_bytes, MLOCK_ONFAULT) != 0) {
        (void) munmap(guarded, n_bytes + 2 * page); /* nothing was in it */
        return NULL;
    }
    return inside;
}

static uint8_t *
slot_at(const SlotClass *slots, size_t index)
{
    return slots->first + index * stride_of(slots);
}

/* Returns: where the next class begins. */
static uint8_t *
cut_slots_locked(SlotClass *slots, uint8_t *first)
{
    slots->first = first;
    slots->free = g_new(uint16_t, slots->n_slots);
    for (size_t i = 0; i < slots->n_slots; i++) {
        slots->free[i] = (uint16_t) (slots->n_slots - 1 - i);
    }
    slots->n_free = slots->n_slots;
    return slot_at(slots, slots->n_slots);
}

bool
secret_arena_start(GError **error)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&arena.mutex);

    if (arena.locked.is_started)
        return true;
    const size_t n_bytes = total_bytes();
    uint8_t *next = map_locked(n_bytes);
    if (next == NULL) {
        return crypto_fail(error, CRYPTO_ERROR_NO_LOCKED_MEMORY,
                           "cannot lock %zu KiB of memory for keys: raise the limit of locked "
                           "memory (RLIMIT_MEMLOCK, LimitMEMLOCK=)",
                           n_bytes / 1024);
    }
    randombytes_buf(arena.locked.canary, CANARY_BYTES);
    for (size_t i = 0; i < G_N_ELEMENTS(arena.locked.classes); i++)
        next = cut_slots_locked(&arena.locked.classes[i], next);
    arena.locked.is_started = true;
    return true;
}

uint8_t *
secret_arena_take(size_t n_bytes, GError **error)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&arena.mutex);

    g_assert(n_bytes > 0);
    /* A size that is used up borrows from the next larger one. */
    for (size_t i = 0; i < G_N_ELEMENTS(arena.locked.classes); i++) {
        SlotClass *slots = &arena.locked.classes[i];
        if (slots->n_bytes >= n_bytes && slots->n_free > 0) {
            uint8_t *taken = slot_at(slots, slots->free[--slots->n_free]);

            memcpy(taken + slots->n_bytes, arena.locked.canary, CANARY_BYTES);
            return taken;
        }
    }
    if (!arena.locked.is_started) {
        crypto_fail(error, CRYPTO_ERROR_NO_LOCKED_MEMORY,
                    "no memory was locked for keys: the program did not start cryptography");
    } else if (n_bytes > SECRET_ARENA_MAX_BYTES) {
        crypto_fail(error, CRYPTO_ERROR_NO_LOCKED_MEMORY,
                    "a secret of %zu bytes is larger than the %d that can be kept locked", n_bytes,
                    SECRET_ARENA_MAX_BYTES);
    } else {
        crypto_fail(error, CRYPTO_ERROR_NO_LOCKED_MEMORY,
                    "all locked memory for keys of %zu bytes is in use", n_bytes);
    }
    return NULL;
}

static SlotClass *
class_of_locked(const uint8_t *bytes)
{
    for (size_t i = 0; i < G_N_ELEMENTS(arena.locked.classes); i++) {
        SlotClass *slots = &arena.locked.classes[i];
        if (bytes >= slots->first && bytes < slot_at(slots, slots->n_slots))
            return slots;
    }
    g_assert_not_reached();
}

void
secret_arena_give_back(uint8_t *bytes)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&arena.mutex);
    SlotClass *slots = class_of_locked(bytes);
    const size_t distance = (size_t) (bytes - slots->first);

    g_assert(distance % stride_of(slots) == 0 && slots->n_free < slots->n_slots);
    g_assert(sodium_memcmp(bytes + slots->n_bytes, arena.locked.canary, CANARY_BYTES) == 0);
    sodium_memzero(bytes, slots->n_bytes);
    slots->free[slots->n_free++] = (uint16_t) (distance / stride_of(slots));
}
