#include "agent/recorder/rtp_sync.h"

#include <glib.h>
#include <string.h>

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)
#define EPOCH  UINT64_C(3900000000) /* when the session's second 0 was by the sender's clock */

/* A camera and a microphone of one participant: pictures leave 120 ms after they were taken. */
typedef struct {
    SenderClocks *clocks;
    RtpSync sound, picture;
    RtpClock sound_clock, picture_clock;
} Fixture;

enum { LATE_US = 120000 };

static void
set_up(Fixture *self, gconstpointer data)
{
    self->clocks = sender_clocks_new();
    rtp_sync_init(&self->sound, self->clocks);
    rtp_sync_init(&self->picture, self->clocks);
    rtp_clock_init(&self->sound_clock, 48000);
    rtp_clock_init(&self->picture_clock, 90000);
    rtp_clock_anchor(&self->sound_clock, 0, 0);
    rtp_clock_anchor(&self->picture_clock, 0, LATE_US);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    rtp_sync_clear(&self->sound);
    rtp_sync_clear(&self->picture);
    sender_clocks_unref(self->clocks);
}

/* What is true at `at_us`, by a sender whose clock is `ahead_us` ahead. */
static RtcpReport
report_at(int64_t at_us, uint32_t rate, int64_t ahead_us)
{
    const int64_t now_us = at_us + ahead_us;

    return (RtcpReport){
        .has_sender_report = true,
        .ntp_time = ((EPOCH + (uint64_t) (now_us / SECOND)) << 32) +
                    ((uint64_t) (now_us % SECOND) << 32) / SECOND,
        .rtp_timestamp = (uint32_t) (at_us * rate / SECOND),
    };
}

static bool
tell(RtpSync *sync, const RtpClock *clock, int64_t at_us, int64_t ahead_us)
{
    const RtcpReport report = report_at(at_us, clock->rate, ahead_us);

    return rtp_sync_take(sync, &report, clock, at_us);
}

/* Both report twice, at 1 and 6 s. */
static void
begin(Fixture *self)
{
    for (int64_t at_us = SECOND; at_us <= 6 * SECOND; at_us += 5 * SECOND) {
        const bool is_second = at_us > SECOND;
        g_assert_cmpint(tell(&self->sound, &self->sound_clock, at_us, 0), ==, is_second);
        g_assert_cmpint(tell(&self->picture, &self->picture_clock, at_us, 0), ==, is_second);
    }
}

/* By how much reports move what comes at `at_us`. */
static int64_t
moved_us(RtpSync *sync, const RtpClock *clock, int64_t at_us)
{
    int64_t shift_us = 0;

    g_assert_true(rtp_sync_shift_us(sync, clock, at_us, &shift_us));
    return shift_us;
}

static void
assert_in_step(Fixture *self, int64_t at_us)
{
    g_assert_cmpint(ABS(moved_us(&self->sound, &self->sound_clock, at_us)), <=, 10);
    g_assert_cmpint(ABS(moved_us(&self->picture, &self->picture_clock, at_us) + LATE_US), <=, 10);
}

static void
test_puts_pictures_beside_their_sound(Fixture *self, gconstpointer data)
{
    int64_t shift_us = 0;

    g_assert_false(rtp_sync_shift_us(&self->sound, &self->sound_clock, SECOND, &shift_us));
    begin(self);
    assert_in_step(self, 7 * SECOND);
}

typedef struct {
    const char *name;
    RtcpReport report; /* at 7 s; what is 0 is as it should be */
    bool has_no_time;
} Nonsense;

static const Nonsense nonsense[] = {
    {"a year ahead",       {.ntp_time = (EPOCH + 31536000) << 32},                  false},
    {"a year behind",      {.ntp_time = (EPOCH - 31536000) << 32},                  false},
    {"a little off",       {.ntp_time = ((EPOCH + 7) << 32) + (UINT64_C(1) << 29)}, false},
    {"the end of the era", {.ntp_time = UINT64_MAX},                                false},
    {"no time",            {.ntp_time = 0},                                         true },
    {"another moment",     {.rtp_timestamp = 0x12345678},                           false},
};

static void
test_nonsense_moves_nothing(Fixture *self, gconstpointer data)
{
    begin(self);
    for (size_t i = 0; i < G_N_ELEMENTS(nonsense); i++) {
        RtcpReport report = report_at(7 * SECOND, 48000, 0);

        g_test_message("%s", nonsense[i].name);
        if (nonsense[i].report.ntp_time != 0 || nonsense[i].has_no_time)
            report.ntp_time = nonsense[i].report.ntp_time;
        if (nonsense[i].report.rtp_timestamp != 0)
            report.rtp_timestamp = nonsense[i].report.rtp_timestamp;
        g_assert_false(rtp_sync_take(&self->sound, &report, &self->sound_clock, 7 * SECOND));
        assert_in_step(self, 7 * SECOND);
    }
    g_assert_true(tell(&self->sound, &self->sound_clock, 8 * SECOND, 0));
    assert_in_step(self, 8 * SECOND);
}

static void
test_random_reports_are_never_believed(Fixture *self, gconstpointer data)
{
    unsigned n_believed = 0;

    for (unsigned i = 0; i < 10000; i++) {
        const RtcpReport report = {
            .has_sender_report = true,
            .ntp_time = (uint64_t) (uint32_t) g_test_rand_int() << 32,
            .rtp_timestamp = (uint32_t) (i * 48) + (uint32_t) g_test_rand_int_range(0, 48000),
        };
        n_believed += rtp_sync_take(&self->sound, &report, &self->sound_clock, i * MS);
    }
    g_assert_cmpuint(n_believed, ==, 0);
}

/* Somebody sets the clock of the machine: all that it says from now on is an hour later, but
 * nothing that is heard or seen. */
static void
test_a_set_clock_moves_nothing(Fixture *self, gconstpointer data)
{
    begin(self);
    for (int64_t at_us = 11 * SECOND; at_us <= 41 * SECOND; at_us += 5 * SECOND) {
        const bool is_believed = at_us >= 21 * SECOND; /* the third of them */
        g_assert_cmpint(tell(&self->sound, &self->sound_clock, at_us, 3600 * SECOND), ==,
                        is_believed);
        assert_in_step(self, at_us);
        g_assert_cmpint(tell(&self->picture, &self->picture_clock, at_us, 3600 * SECOND), ==,
                        is_believed);
        assert_in_step(self, at_us);
    }
}

static void
test_keeps_its_skew_when_reports_end(Fixture *self, gconstpointer data)
{
    begin(self);
    assert_in_step(self, 7 * SECOND);
    assert_in_step(self, 3600 * SECOND);
}

/* One whose pictures are said to be seconds older than its sound: no camera is. */
static void
test_is_never_moved_far(Fixture *self, gconstpointer data)
{
    for (int64_t at_us = SECOND; at_us <= 11 * SECOND; at_us += 5 * SECOND) {
        (void) tell(&self->sound, &self->sound_clock, at_us, 0);
        (void) tell(&self->picture, &self->picture_clock, at_us, -3 * SECOND);
    }
    g_assert_cmpint(moved_us(&self->sound, &self->sound_clock, 12 * SECOND), ==, 0);
    g_assert_cmpint(moved_us(&self->picture, &self->picture_clock, 12 * SECOND), ==, 0);
}

static void
test_a_new_name_is_a_new_sender(Fixture *self, gconstpointer data)
{
    RtcpReport report = report_at(7 * SECOND, 48000, 0);

    begin(self);
    report.cname = (const uint8_t *) "phone";
    report.n_cname = 5;
    g_assert_false(rtp_sync_take(&self->sound, &report, &self->sound_clock, 7 * SECOND));
    g_assert_true(rtp_sync_take(&self->sound, &report, &self->sound_clock, 7 * SECOND));
    report.n_cname = 0; /* not told again is no other */
    g_assert_true(rtp_sync_take(&self->sound, &report, &self->sound_clock, 7 * SECOND));
    /* The picture is of another machine than the sound now, and lies where it arrives. */
    g_assert_cmpint(moved_us(&self->sound, &self->sound_clock, 8 * SECOND), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/rtp_sync/" path, Fixture, NULL, set_up, test, tear_down)
    ADD("puts-pictures-beside-their-sound", test_puts_pictures_beside_their_sound);
    ADD("nonsense-moves-nothing", test_nonsense_moves_nothing);
    ADD("random-reports-are-never-believed", test_random_reports_are_never_believed);
    ADD("a-set-clock-moves-nothing", test_a_set_clock_moves_nothing);
    ADD("keeps-its-skew-when-reports-end", test_keeps_its_skew_when_reports_end);
    ADD("is-never-moved-far", test_is_never_moved_far);
    ADD("a-new-name-is-a-new-sender", test_a_new_name_is_a_new_sender);
    return g_test_run();
}
