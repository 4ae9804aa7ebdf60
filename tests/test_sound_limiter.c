#include "agent/media/sound_limiter.h"

#include <math.h>

#define RATE 48000

/* A second of a tone whose loudness is `amplitude` in its middle half and a tenth before and after,
 * in pieces as an export has them. */
static GArray *
limit_tone(float amplitude, GArray *given)
{
    g_autoptr(SoundLimiter) limiter = sound_limiter_new();
    GArray *ready = g_array_new(FALSE, FALSE, sizeof(float));

    for (unsigned i = 0; i < RATE; i++) {
        const float level = i >= RATE / 4 && i < RATE * 3 / 4 ? amplitude : 0.1F;
        const float sample = level * (float) sin(2 * G_PI * 440 * i / RATE);
        const float pair[] = {sample, sample};

        g_array_append_vals(given, pair, 2);
    }
    for (unsigned at = 0; at < RATE; at += 1600)
        sound_limiter_add(limiter, &g_array_index(given, float, at * 2), 1600, ready);
    sound_limiter_finish(limiter, ready);
    return ready;
}

static void
test_leaves_alone_what_fits(void)
{
    g_autoptr(GArray) given = g_array_new(FALSE, FALSE, sizeof(float));
    g_autoptr(GArray) ready = limit_tone(0.8F, given);

    g_assert_cmpuint(ready->len, ==, given->len);
    for (guint i = 0; i < ready->len; i++)
        g_assert_cmpfloat(g_array_index(ready, float, i), ==, g_array_index(given, float, i));
}

static void
test_never_clips_and_keeps_the_time(void)
{
    g_autoptr(GArray) given = g_array_new(FALSE, FALSE, sizeof(float));
    g_autoptr(GArray) ready = limit_tone(8.0F, given);
    float loudest = 0;

    g_assert_cmpuint(ready->len, ==, given->len);
    for (guint i = 0; i < ready->len; i++) {
        const float before = g_array_index(given, float, i);
        const float after = g_array_index(ready, float, i);

        g_assert_cmpfloat(fabsf(after), <=, 0.891F);
        /* Turned down, and nothing else: the sign of each sample is that of the one given. */
        g_assert_cmpfloat(before * after, >=, 0);
        loudest = MAX(loudest, fabsf(after));
    }
    g_assert_cmpfloat(loudest, >, 0.85F);
    /* And up again before the end. */
    g_assert_cmpfloat(fabsf(g_array_index(ready, float, ready->len - 48)), >, 0);
}

static void
test_rests_are_not_lost(void)
{
    static const unsigned lengths[] = {0, 1, 479, 480, 481, 1023};

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(SoundLimiter) limiter = sound_limiter_new();
        g_autoptr(GArray) ready = g_array_new(FALSE, FALSE, sizeof(float));
        g_autofree float *samples = g_new0(float, 2 * 1024);

        samples[0] = NAN;
        sound_limiter_add(limiter, samples, lengths[i], ready);
        sound_limiter_finish(limiter, ready);

        g_assert_cmpuint(ready->len, ==, lengths[i] * 2);
        for (guint j = 0; j < ready->len; j++)
            g_assert_cmpfloat(g_array_index(ready, float, j), ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sound_limiter/leaves-alone-what-fits", test_leaves_alone_what_fits);
    g_test_add_func("/sound_limiter/never-clips-and-keeps-the-time",
                    test_never_clips_and_keeps_the_time);
    g_test_add_func("/sound_limiter/rests-are-not-lost", test_rests_are_not_lost);
    return g_test_run();
}
