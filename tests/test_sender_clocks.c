#include "agent/recorder/sender_clocks.h"

#include <glib.h>
#include <string.h>

#define MS     G_GINT64_CONSTANT(1000)
#define SECOND G_GINT64_CONSTANT(1000000)

static SenderMember *
join(SenderClocks *clocks, const char *cname, int64_t delay_us)
{
    return sender_clocks_join(clocks,
                              &(SenderView){(const uint8_t *) cname, strlen(cname), 0, delay_us});
}

static void
test_the_quickest_leads(void)
{
    g_autoptr(SenderClocks) clocks = sender_clocks_new();
    SenderMember *picture = join(clocks, "laptop", 120 * MS);
    SenderMember *sound = join(clocks, "laptop", 10 * MS);

    g_assert_cmpint(sender_member_offset_us(picture, 1 * MS, 120 * MS), ==, 120 * MS);
    g_assert_cmpint(sender_member_offset_us(sound, 2 * MS, 10 * MS), ==, 10 * MS);
    g_assert_cmpint(sender_member_offset_us(picture, 3 * MS, 121 * MS), ==, 10 * MS);
    g_assert_cmpint(sender_member_offset_us(sound, 4 * MS, 11 * MS), ==, 11 * MS);
    sender_clocks_leave(clocks, picture);
    sender_clocks_leave(clocks, sound);
}

/* Nothing moves when the microphone is muted, nor when it comes back with a first packet that was
 * slow or whose clock was guessed. */
static void
test_a_mute_moves_nothing(void)
{
    g_autoptr(SenderClocks) clocks = sender_clocks_new();
    SenderMember *sound = join(clocks, "laptop", 10 * MS);
    SenderMember *picture = join(clocks, "laptop", 120 * MS);
    int64_t at_us = 0;

    for (; at_us < 20 * SECOND; at_us += 20 * MS) {
        g_assert_cmpint(sender_member_offset_us(sound, at_us, 10 * MS), ==, 10 * MS);
        g_assert_cmpint(sender_member_offset_us(picture, at_us, 120 * MS), ==, 10 * MS);
    }
    for (; at_us < 600 * SECOND; at_us += 20 * MS)
        g_assert_cmpint(sender_member_offset_us(picture, at_us, 120 * MS), ==, 10 * MS);
    for (; at_us < 605 * SECOND; at_us += 20 * MS) {
        g_assert_cmpint(sender_member_offset_us(picture, at_us, 120 * MS), ==, 10 * MS);
        g_assert_cmpint(sender_member_offset_us(sound, at_us, -20 * MS), ==, 10 * MS);
    }
    sender_clocks_leave(clocks, sound);
    sender_clocks_leave(clocks, picture);
}

/* The same if the slower one joins first and has sent nothing since. */
static void
test_the_quickest_leads_from_its_first_packet(void)
{
    g_autoptr(SenderClocks) clocks = sender_clocks_new();
    SenderMember *picture = join(clocks, "laptop", 120 * MS);
    SenderMember *sound = join(clocks, "laptop", 10 * MS);

    g_assert_cmpint(sender_member_offset_us(sound, 1 * MS, 10 * MS), ==, 10 * MS);
    g_assert_cmpint(sender_member_offset_us(picture, 2 * MS, 120 * MS), ==, 10 * MS);
    sender_clocks_leave(clocks, picture);
    sender_clocks_leave(clocks, sound);
}

static void
test_the_leader_may_leave(void)
{
    g_autoptr(SenderClocks) clocks = sender_clocks_new();
    SenderMember *sound = join(clocks, "laptop", 10 * MS);
    SenderMember *picture = join(clocks, "laptop", 120 * MS);

    g_assert_cmpint(sender_member_offset_us(sound, 0, 10 * MS), ==, 10 * MS);
    g_assert_cmpint(sender_member_offset_us(picture, 0, 120 * MS), ==, 10 * MS);
    sender_clocks_leave(clocks, sound);
    g_assert_cmpint(sender_member_offset_us(picture, 20 * MS, 121 * MS), ==, 11 * MS);
    sender_clocks_leave(clocks, picture);
}

static void
test_another_device_has_a_clock_of_its_own(void)
{
    g_autoptr(SenderClocks) clocks = sender_clocks_new();
    SenderMember *members[] = {
        join(clocks, "laptop", 0), join(clocks, "phone", 100 * MS), /* another name */
        join(clocks, "laptop", 3600 * SECOND),                      /* another time */
    };
    const int64_t delays_us[] = {0, 100 * MS, 3600 * SECOND};

    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        g_assert_cmpint(sender_member_offset_us(members[i], 0, delays_us[i]), ==, delays_us[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        sender_clocks_leave(clocks, members[i]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sender_clocks/the-quickest-leads", test_the_quickest_leads);
    g_test_add_func("/sender_clocks/the-quickest-leads-from-its-first-packet",
                    test_the_quickest_leads_from_its_first_packet);
    g_test_add_func("/sender_clocks/a-mute-moves-nothing", test_a_mute_moves_nothing);
    g_test_add_func("/sender_clocks/the-leader-may-leave", test_the_leader_may_leave);
    g_test_add_func("/sender_clocks/another-device-has-a-clock-of-its-own",
                    test_another_device_has_a_clock_of_its_own);
    return g_test_run();
}
