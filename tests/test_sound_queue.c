#include "agent/media/sound_queue.h"

#include <math.h>

#define PACKET 960

/* Adds a packet of samples that are all `value`. */
static void
add(SoundQueue *queue, int64_t position, float value)
{
    float samples[PACKET * 2];

    for (unsigned i = 0; i < PACKET * 2; i++)
        samples[i] = value;
    sound_queue_add(queue, position, samples, PACKET);
}

/* Returns: how many of the next `n_frames` frames are `value`. */
static unsigned
count(SoundQueue *queue, unsigned n_frames, float value)
{
    g_autofree float *samples = g_new(float, n_frames * 2);
    unsigned n_equal = 0;

    sound_queue_take(queue, samples, n_frames);
    for (unsigned i = 0; i < n_frames; i++)
        n_equal += fabsf(samples[2 * i] - value) < 0.001F ? 1 : 0;
    return n_equal;
}

static void
test_a_hole_is_silence_of_its_length(void)
{
    g_autoptr(SoundQueue) queue = sound_queue_new(1000);

    add(queue, 1000, 0.5F);
    add(queue, 1000 + 3 * PACKET, 0.25F);

    g_assert_cmpuint(count(queue, PACKET, 0.5F), ==, PACKET);
    g_assert_cmpuint(count(queue, 2 * PACKET, 0), ==, 2 * PACKET);
    g_assert_cmpuint(count(queue, PACKET, 0.25F), ==, PACKET);
    g_assert_cmpuint(count(queue, PACKET, 0), ==, PACKET);
}

static void
test_what_comes_late_stands_at_its_time(void)
{
    g_autoptr(SoundQueue) queue = sound_queue_new(0);

    g_assert_cmpuint(count(queue, 10 * PACKET, 0), ==, 10 * PACKET);
    add(queue, 11 * PACKET, 0.5F);
    g_assert_cmpuint(count(queue, PACKET, 0), ==, PACKET);
    g_assert_cmpuint(count(queue, PACKET, 0.5F), ==, PACKET);
}

static void
test_what_is_past_or_overlaps_is_cut(void)
{
    g_autoptr(SoundQueue) queue = sound_queue_new(10 * PACKET);

    add(queue, 0, 0.9F);
    add(queue, 9 * PACKET + PACKET / 2, 0.5F);
    add(queue, 9 * PACKET + PACKET / 2, 0.9F);

    g_assert_cmpuint(count(queue, PACKET / 2, 0.5F), ==, PACKET / 2);
    g_assert_cmpuint(count(queue, PACKET / 2, 0.9F), ==, 0);
}

/* A sender whose clock is 100 ppm fast or slow, for an hour: no hole, no overlap, always in step.
 */
static void
test_follows_a_clock_that_drifts(void)
{
    static const double pace[] = {1.0001, 0.9999};

    for (size_t i = 0; i < G_N_ELEMENTS(pace); i++) {
        g_autoptr(SoundQueue) queue = sound_queue_new(0);
        int64_t packet = 0;
        unsigned n_off = 0;

        for (int64_t read = 0; read < INT64_C(3600) * 48000; read += 1600) {
            int64_t position = 0;

            while ((position = (int64_t) ((double) (packet * PACKET) * pace[i])) <
                   read + 1600 + SOUND_QUEUE_STEP_FRAMES) {
                g_assert_cmpint(ABS(position - sound_queue_end(queue)), <,
                                SOUND_QUEUE_STEP_FRAMES / 2);
                add(queue, position, 0.5F);
                packet++;
            }
            n_off += 1600 - count(queue, 1600, 0.5F);
        }
        g_assert_cmpuint(n_off, ==, 0);
    }
}

static void
test_rounded_times_change_nothing(void)
{
    g_autoptr(SoundQueue) queue = sound_queue_new(0);

    for (int64_t packet = 0; packet < 100; packet++)
        add(queue, packet * PACKET + (packet % 2 == 0 ? 24 : -24), 0.5F);
    g_assert_cmpuint(count(queue, 100 * PACKET, 0.5F), ==, 100 * PACKET);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sound_queue/a-hole-is-silence-of-its-length",
                    test_a_hole_is_silence_of_its_length);
    g_test_add_func("/sound_queue/what-comes-late-stands-at-its-time",
                    test_what_comes_late_stands_at_its_time);
    g_test_add_func("/sound_queue/what-is-past-or-overlaps-is-cut",
                    test_what_is_past_or_overlaps_is_cut);
    g_test_add_func("/sound_queue/follows-a-clock-that-drifts", test_follows_a_clock_that_drifts);
    g_test_add_func("/sound_queue/rounded-times-change-nothing", test_rounded_times_change_nothing);
    return g_test_run();
}
