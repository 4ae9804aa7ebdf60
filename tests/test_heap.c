#include "agent/service/heap.h"

#include <string.h>

enum {
    SMALL_BYTES = 40000,
    LARGE_BYTES = HEAP_MAPPED_BYTES,
    PIN_BYTES = 100,
    N_PIECES = 2000,
    N_LARGE = 50
};

static uint64_t
resident_bytes(void)
{
    g_autofree char *text = NULL;
    const char *line = NULL;

    g_assert_true(g_file_get_contents("/proc/self/smaps_rollup", &text, NULL, NULL));
    line = strstr(text, "\nAnonymous:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(line + strlen("\nAnonymous:"), NULL, 10) * 1024;
}

typedef struct {
    unsigned n_pieces;
    size_t piece_bytes;
    char *pieces[N_PIECES], *pins[N_PIECES];
} Held;

/* In an arena of its own, as a thread of the recorder does: pieces that go soon between small
 * things that stay. */
static gpointer
hold(gpointer data)
{
    Held *held = data;

    for (unsigned i = 0; i < held->n_pieces; i++) {
        held->pieces[i] = g_malloc(held->piece_bytes);
        memset(held->pieces[i], 1, held->piece_bytes);
        held->pins[i] = g_malloc(PIN_BYTES);
    }
    return NULL;
}

static void
let_go(char **blocks, unsigned n_blocks)
{
    for (unsigned i = 0; i < n_blocks; i++)
        g_free(blocks[i]);
}

/* Returns: what is held, with the memory that `full` tells of; NULL: another malloc than libc's. */
static Held *
hold_pieces(unsigned n_pieces, size_t piece_bytes, HeapStatus *full)
{
    g_autofree Held *held = g_new0(Held, 1);

    held->n_pieces = n_pieces;
    held->piece_bytes = piece_bytes;
    (void) g_thread_join(g_thread_new("holder", hold, held)); /* returns nothing */
    heap_status(full);
    if (full->used_bytes >= n_pieces * piece_bytes)
        return g_steal_pointer(&held);
    let_go(held->pieces, n_pieces);
    let_go(held->pins, n_pieces);
    g_test_skip("another malloc than libc's");
    return NULL;
}

static void
test_gives_back_what_nobody_uses(void)
{
    const uint64_t all = (uint64_t) SMALL_BYTES * N_PIECES;
    HeapStatus full, empty;
    g_autofree Held *held = hold_pieces(N_PIECES, SMALL_BYTES, &full);
    uint64_t resident = 0;

    if (held == NULL)
        return;
    resident = resident_bytes();

    let_go(held->pieces, N_PIECES);
    heap_status(&empty);
    heap_give_back();

    g_assert_cmpuint(full.used_bytes - empty.used_bytes, >=, all);
    g_assert_cmpuint(empty.spare_bytes, >=, all);
    g_assert_cmpuint(resident_bytes() + all * 3 / 4, <, resident);
    let_go(held->pins, N_PIECES);
}

/* As the uploader does with its objects: from there malloc would learn to keep what is as large. */
static void
free_larger_one(void)
{
    char *volatile larger = g_malloc(8 * LARGE_BYTES);

    larger[0] = 1;
    g_free(larger);
}

static void
test_keeps_nothing_large(void)
{
    const uint64_t all = (uint64_t) LARGE_BYTES * N_LARGE;
    HeapStatus full;
    g_autofree Held *held = NULL;
    uint64_t resident = 0;

    free_larger_one();
    held = hold_pieces(N_LARGE, LARGE_BYTES, &full);
    if (held == NULL)
        return;
    resident = resident_bytes();

    let_go(held->pieces, N_LARGE);

    g_assert_cmpuint(resident_bytes() + all * 9 / 10, <, resident);
    let_go(held->pins, N_LARGE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    heap_start();
    /* First: the other leaves holes for the small things of this one. */
    g_test_add_func("/heap/keeps-nothing-large", test_keeps_nothing_large);
    g_test_add_func("/heap/gives-back-what-nobody-uses", test_gives_back_what_nobody_uses);
    return g_test_run();
}
