#include "agent/media/speaker_choice.h"

#define STEP_US INT64_C(33333)

/* Lets everyone be as loud as `levels` for a while. Returns: who is chosen then. */
static unsigned
hear(SpeakerChoice *choice, const double *levels, int64_t duration_us)
{
    unsigned chosen = 0;

    for (int64_t at_us = 0; at_us < duration_us; at_us += STEP_US)
        chosen = speaker_choice_add(choice, levels, STEP_US);
    return chosen;
}

static void
test_follows_who_speaks(void)
{
    g_autoptr(SpeakerChoice) choice = speaker_choice_new(3);

    g_assert_cmpuint(hear(choice, (double[]){0.1, 0, 0}, 3000000), ==, 0);
    g_assert_cmpuint(hear(choice, (double[]){0, 0, 0.1}, 3000000), ==, 2);
    g_assert_cmpuint(hear(choice, (double[]){0, 0.1, 0}, 3000000), ==, 1);
}

static void
test_stays_while_all_are_quiet(void)
{
    g_autoptr(SpeakerChoice) choice = speaker_choice_new(2);

    g_assert_cmpuint(hear(choice, (double[]){0, 0.1}, 3000000), ==, 1);
    g_assert_cmpuint(hear(choice, (double[]){0.001, 0}, 60000000), ==, 1);
}

static void
test_a_cough_changes_nothing(void)
{
    g_autoptr(SpeakerChoice) choice = speaker_choice_new(2);

    (void) hear(choice, (double[]){0.1, 0}, 5000000);
    g_assert_cmpuint(hear(choice, (double[]){0, 0.5}, 300000), ==, 0);
    g_assert_cmpuint(hear(choice, (double[]){0.1, 0}, 5000000), ==, 0);
}

static void
test_one_who_is_as_loud_does_not_take_over(void)
{
    g_autoptr(SpeakerChoice) choice = speaker_choice_new(2);

    (void) hear(choice, (double[]){0.1, 0}, 5000000);
    g_assert_cmpuint(hear(choice, (double[]){0.1, 0.15}, 60000000), ==, 0);
}

static void
test_changes_at_most_every_two_seconds(void)
{
    g_autoptr(SpeakerChoice) choice = speaker_choice_new(2);
    unsigned n_changes = 0;
    unsigned last = 0;

    (void) hear(choice, (double[]){0.1, 0}, 5000000);
    for (unsigned i = 0; i < 60; i++) {
        const double levels[] = {i % 2 == 0 ? 0 : 0.3, i % 2 == 0 ? 0.3 : 0};
        const unsigned now = hear(choice, levels, 1000000);

        n_changes += now != last ? 1 : 0;
        last = now;
    }
    g_assert_cmpuint(n_changes, >, 0);
    g_assert_cmpuint(n_changes, <=, 30);
}

static void
test_who_left_is_not_large(void)
{
    g_autoptr(SpeakerChoice) choice = speaker_choice_new(3);

    (void) hear(choice, (double[]){0.1, 0, 0}, 5000000);
    g_assert_cmpuint(hear(choice, (double[]){SPEAKER_CHOICE_ABSENT, 0, 0}, STEP_US), !=, 0);
    (void) hear(choice, (double[]){SPEAKER_CHOICE_ABSENT, SPEAKER_CHOICE_ABSENT, 0}, STEP_US);
    g_assert_cmpuint(
        hear(choice, (double[]){SPEAKER_CHOICE_ABSENT, SPEAKER_CHOICE_ABSENT, 0}, STEP_US), ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/speaker_choice/follows-who-speaks", test_follows_who_speaks);
    g_test_add_func("/speaker_choice/stays-while-all-are-quiet", test_stays_while_all_are_quiet);
    g_test_add_func("/speaker_choice/a-cough-changes-nothing", test_a_cough_changes_nothing);
    g_test_add_func("/speaker_choice/one-who-is-as-loud-does-not-take-over",
                    test_one_who_is_as_loud_does_not_take_over);
    g_test_add_func("/speaker_choice/changes-at-most-every-two-seconds",
                    test_changes_at_most_every_two_seconds);
    g_test_add_func("/speaker_choice/who-left-is-not-large", test_who_left_is_not_large);
    return g_test_run();
}
