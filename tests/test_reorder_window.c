#include "agent/recorder/reorder_window.h"

#include <glib.h>
#include <string.h>

enum { WAIT_US = 50000 };

typedef struct {
    PacketPool *pool;
    ReorderWindow *window;
    GString *out; /* sequence numbers, as they come out; -n: n given up before */
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    self->pool = packet_pool_new();
    self->window = reorder_window_new(WAIT_US, self->pool);
    self->out = g_string_new(NULL);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    reorder_window_free(self->window);
    packet_pool_free(self->pool); /* asserts that every packet came back */
    g_string_free(self->out, TRUE);
}

static void
note_out(Fixture *self, HeldPacket *held, unsigned n_missing)
{
    if (n_missing > 0)
        g_string_append_printf(self->out, "-%u ", n_missing);
    g_string_append_printf(self->out, "%u ", held->header.sequence);
    packet_pool_give_back(self->pool, held);
}

static void
take_out(Fixture *self, int64_t now_us)
{
    unsigned n_missing = 0;

    for (HeldPacket *held;
         (held = reorder_window_take_out(self->window, now_us, &n_missing)) != NULL;)
        note_out(self, held, n_missing);
}

static void
make_room(Fixture *self, uint16_t sequence)
{
    unsigned n_missing = 0;

    for (HeldPacket *held;
         (held = reorder_window_make_room(self->window, sequence, &n_missing)) != NULL;)
        note_out(self, held, n_missing);
}

static ReorderPlace
put(Fixture *self, uint16_t sequence, int64_t now_us)
{
    const RtpPacket header = {.sequence = sequence};
    const ReorderPlace place = reorder_window_place(self->window, sequence);

    if (place == REORDER_IS_NEXT) {
        reorder_window_pass(self->window);
        g_string_append_printf(self->out, "%u ", sequence);
    } else if (place != REORDER_IS_DUPLICATE && place != REORDER_IS_LATE) {
        HeldPacket *held = packet_pool_copy(self->pool, &header, (const uint8_t *) "x", 1);
        held->arrival_us = now_us;
        make_room(self, sequence);
        (void) reorder_window_hold(self->window, held);
        take_out(self, now_us);
    }
    return place;
}

static const struct {
    const char *name;
    uint16_t start;
    const char *arrivals; /* 10 ms apart */
    const char *out;
} rows[] = {
    {"in order",             1,     "1 2 3 4",             "1 2 3 4 "               },
    {"two swapped",          1,     "1 3 2 4",             "1 2 3 4 "               },
    {"all the way round",    1,     "5 4 3 2 1",           "1 2 3 4 5 "             },
    {"one lost",             1,     "1 3 4 5 6 7 8 9",     "1 -1 3 4 5 6 7 8 9 "    },
    {"two holes",            1,     "1 3 5 6 7 8 9 10",    "1 -1 3 -1 5 6 7 8 9 10 "},
    {"first lost",           1,     "2 3 4 5 6 7 8",       "-1 2 3 4 5 6 7 8 "      },
    {"duplicate",            1,     "1 2 2 1 3",           "1 2 3 "                 },
    {"duplicate that waits", 1,     "2 2 1",               "1 2 "                   },
    {"late",                 1,     "1 3 4 5 6 7 8 2 9",   "1 -1 3 4 5 6 7 8 9 "    },
    {"over the end",         65534, "65534 65535 0 1",     "65534 65535 0 1 "       },
    {"swapped at the end",   65534, "65534 0 65535 1",     "65534 65535 0 1 "       },
    {"lost at the end",      65534, "65534 0 1 2 3 4 5 6", "65534 -1 0 1 2 3 4 5 6 "},
    {"comes in its time",    1,     "1 3 4 5 6 2 7",       "1 2 3 4 5 6 7 "         },
};

static void
test_puts_into_order(Fixture *self, gconstpointer data)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) arrivals = g_strsplit(rows[i].arrivals, " ", -1);

        g_string_truncate(self->out, 0);
        reorder_window_start(self->window, rows[i].start);
        for (unsigned at = 0; arrivals[at] != NULL; at++) {
            take_out(self, at * 10000);
            (void) put(self, (uint16_t) g_ascii_strtoull(arrivals[at], NULL, 10), at * 10000);
        }
        take_out(self, INT64_MAX);
        g_test_message("%s", rows[i].name);
        g_assert_cmpstr(self->out->str, ==, rows[i].out);
    }
}

static void
test_waits_by_time_not_by_count(Fixture *self, gconstpointer data)
{
    reorder_window_start(self->window, 0);
    g_assert_cmpint(reorder_window_due_us(self->window), ==, INT64_MAX);
    for (uint16_t sequence = 1; sequence < REORDER_WINDOW_PACKETS; sequence++)
        g_assert_cmpint(put(self, sequence, 1000), ==, REORDER_IS_EARLY);
    g_assert_cmpint(reorder_window_due_us(self->window), ==, 1000 + WAIT_US);

    take_out(self, 1000 + WAIT_US - 1);
    g_assert_cmpstr(self->out->str, ==, "");
    take_out(self, 1000 + WAIT_US);
    g_assert_true(g_str_has_prefix(self->out->str, "-1 1 2 3 "));
    g_assert_true(g_str_has_suffix(self->out->str, " 511 "));
}

static void
test_memory_is_bounded(Fixture *self, gconstpointer data)
{
    reorder_window_start(self->window, 0);
    (void) put(self, 5, 0);
    g_assert_cmpint(put(self, 5 + REORDER_WINDOW_PACKETS, 1), ==, REORDER_IS_BEYOND);
    g_assert_cmpstr(self->out->str, ==, "-5 5 ");

    g_string_truncate(self->out, 0);
    take_out(self, INT64_MAX);
    g_assert_cmpstr(self->out->str, ==, "-511 517 ");
}

/* After an outage the packets that come first may not be the lowest. */
static void
test_gives_up_no_more_than_it_must(Fixture *self, gconstpointer data)
{
    reorder_window_start(self->window, 0);
    (void) put(self, 505, 0);
    g_assert_cmpint(put(self, 515, 1), ==, REORDER_IS_BEYOND);

    g_assert_cmpuint(reorder_window_next(self->window), ==, 4);
    g_assert_cmpint(put(self, 504, 2), ==, REORDER_IS_AWAITED);
    take_out(self, INT64_MAX);
    g_assert_cmpstr(self->out->str, ==, "-504 504 505 -9 515 ");
}

static void
test_counts_all_it_skips(Fixture *self, gconstpointer data)
{
    reorder_window_start(self->window, 0);
    g_assert_cmpint(put(self, 2000, 0), ==, REORDER_IS_BEYOND);
    take_out(self, INT64_MAX);
    g_assert_cmpstr(self->out->str, ==, "-2000 2000 ");
    g_assert_cmpuint(reorder_window_next(self->window), ==, 2001);
}

static void
test_tells_late_from_duplicate(Fixture *self, gconstpointer data)
{
    reorder_window_start(self->window, 100);
    (void) put(self, 100, 0);
    (void) put(self, 102, 0);
    take_out(self, INT64_MAX);

    g_assert_cmpint(reorder_window_place(self->window, 100), ==, REORDER_IS_DUPLICATE);
    g_assert_cmpint(reorder_window_place(self->window, 101), ==, REORDER_IS_LATE);
    g_assert_cmpint(reorder_window_place(self->window, 102), ==, REORDER_IS_DUPLICATE);
    g_assert_cmpint(reorder_window_place(self->window, 99), ==, REORDER_IS_LATE);
    g_assert_cmpint(reorder_window_place(self->window, 103), ==, REORDER_IS_NEXT);
}

static void
test_goes_nowhere_far(Fixture *self, gconstpointer data)
{
    reorder_window_start(self->window, 10000);
    g_assert_cmpint(reorder_window_place(self->window, 10000 + 2999), ==, REORDER_IS_BEYOND);
    g_assert_cmpint(reorder_window_place(self->window, 10000 + 3000), ==, REORDER_IS_FAR);
    g_assert_cmpint(reorder_window_place(self->window, 10000 - 512), ==, REORDER_IS_LATE);
    g_assert_cmpint(reorder_window_place(self->window, 10000 - 513), ==, REORDER_IS_FAR);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/reorder_window/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("puts-into-order", test_puts_into_order);
    ADD("waits-by-time-not-by-count", test_waits_by_time_not_by_count);
    ADD("memory-is-bounded", test_memory_is_bounded);
    ADD("gives-up-no-more-than-it-must", test_gives_up_no_more_than_it_must);
    ADD("counts-all-it-skips", test_counts_all_it_skips);
    ADD("tells-late-from-duplicate", test_tells_late_from_duplicate);
    ADD("goes-nowhere-far", test_goes_nowhere_far);
    return g_test_run();
}
