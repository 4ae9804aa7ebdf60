/* 1. A thread of its own decodes, as a decoder may never return; who waits for it looks at the
 * guard meanwhile.
 * 2. A tenth of a second after the other is read of each track, added, brought to 16 kHz mono and
 * written. The length is known before, so that the head is right though a pipe can not be wound
 * back.
 * 3. A reader that has gone is no fault of the sound: writing ends, and who reads says why. */
#include "agent/media/voice_feed.h"

#include "agent/media/exporter.h"
#include "agent/media/sound_decoder.h"

#include <errno.h>
#include <gio/gio.h>
#include <gst/audio/audio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_STALL_US INT64_C(60000000)
#define LOOK_EVERY_US    INT64_C(200000)
#define STEP_FRAMES      (SOUND_DECODER_RATE / 10)
#define STEP_SAMPLES     (STEP_FRAMES * SOUND_DECODER_CHANNELS)
#define WAV_HEAD_BYTES   44
#define FRAME_BYTES      2

struct VoiceFeed {
    GThread *thread;
    StallGuard *guard;
    GPtrArray *tracks; /* of SoundDecoder */
    GstAudioConverter *converter;
    int fd;
    int64_t n_frames; /* still to be written, at 16 kHz */
    float mix[STEP_SAMPLES];
    float voice[STEP_SAMPLES];
    int16_t out[STEP_FRAMES]; /* more than ever fits */
    struct {
        GMutex mutex;
        GCond changed;
        GError *error;
        bool is_ended;
    } locked;
};

static void
free_feed(VoiceFeed *self)
{
    g_ptr_array_unref(self->tracks);
    g_clear_pointer(&self->converter, gst_audio_converter_free);
    stall_guard_free(self->guard);
    g_clear_error(&self->locked.error);
    g_cond_clear(&self->locked.changed);
    g_mutex_clear(&self->locked.mutex);
    explicit_bzero(self, sizeof *self);
    g_free(self);
}

static void
put_u32(uint8_t *at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof value);
}

/* Microsoft's RIFF WAVE, format 1 (PCM). What is longer than its numbers can say says the most. */
static void
make_head(uint8_t head[WAV_HEAD_BYTES], int64_t n_frames)
{
    static const uint8_t form[WAV_HEAD_BYTES] = {
        'R', 'I', 'F', 'F', 0,  0, 0,   0,   'W', 'A', 'V', 'E', 'f', 'm', 't',
        ' ', 16,  0,   0,   0,  1, 0,   1,   0,   0,   0,   0,   0,   0,   0,
        0,   0,   2,   0,   16, 0, 'd', 'a', 't', 'a', 0,   0,   0,   0};
    const uint64_t n_bytes = (uint64_t) n_frames * FRAME_BYTES;

    memcpy(head, form, WAV_HEAD_BYTES);
    put_u32(head + 4, (uint32_t) MIN(n_bytes + WAV_HEAD_BYTES - 8, UINT32_MAX));
    put_u32(head + 24, VOICE_FEED_RATE);
    put_u32(head + 28, VOICE_FEED_RATE * FRAME_BYTES);
    put_u32(head + 40, (uint32_t) MIN(n_bytes, UINT32_MAX));
}

/* Returns: false at a reader's end (`error` unset) or a fault. */
static bool
write_all(VoiceFeed *self, const void *bytes, size_t n_bytes, GError **error)
{
    const uint8_t *at = bytes;

    while (n_bytes > 0) {
        const ssize_t n = write(self->fd, at, n_bytes);

        if (n >= 0) {
            at += n;
            n_bytes -= (size_t) n;
        } else if (errno != EINTR) {
            if (errno != EPIPE) {
                g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(errno),
                            "cannot hand over the sound: %s", g_strerror(errno));
            }
            return false;
        }
    }
    return true;
}

static bool
mix_step(VoiceFeed *self, GError **error)
{
    memset(self->mix, 0, sizeof self->mix);
    for (guint i = 0; i < self->tracks->len; i++) {
        if (!sound_decoder_read(self->tracks->pdata[i], self->voice, STEP_FRAMES, error))
            return false;
        for (unsigned j = 0; j < STEP_SAMPLES; j++)
            self->mix[j] += self->voice[j];
    }
    return true;
}

static bool
write_step(VoiceFeed *self, GError **error)
{
    size_t n_out = gst_audio_converter_get_out_frames(self->converter, STEP_FRAMES);
    void *in[] = {self->mix};
    void *out[] = {self->out};

    g_assert(n_out <= G_N_ELEMENTS(self->out));
    if (!gst_audio_converter_samples(self->converter, 0, in, STEP_FRAMES, out, n_out)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the sound can not be resampled");
        return false;
    }
    n_out = (size_t) MIN((int64_t) n_out, self->n_frames);
    self->n_frames -= (int64_t) n_out;
    return write_all(self, self->out, n_out * FRAME_BYTES, error);
}

static void
run(VoiceFeed *self, GError **error)
{
    uint8_t head[WAV_HEAD_BYTES];

    make_head(head, self->n_frames);
    if (!write_all(self, head, sizeof head, error))
        return;
    while (self->n_frames > 0 && !stall_guard_is_given_up(self->guard)) {
        if (!mix_step(self, error) || !write_step(self, error))
            return;
    }
}

/* A reader that goes must not end the program. */
static void
block_sigpipe(void)
{
    sigset_t signals;

    (void) sigemptyset(&signals);
    (void) sigaddset(&signals, SIGPIPE);
    (void) pthread_sigmask(SIG_BLOCK, &signals, NULL); /* fails for a wrong argument alone */
}

static void *
work(void *user_data)
{
    VoiceFeed *self = user_data;
    GError *error = NULL;
    bool is_given_up = false;

    block_sigpipe();
    run(self, &error);
    (void) close(self->fd); /* a pipe: nothing to flush */
    g_mutex_lock(&self->locked.mutex);
    self->locked.error = error;
    self->locked.is_ended = true;
    is_given_up = stall_guard_is_given_up(self->guard);
    g_cond_signal(&self->locked.changed);
    g_mutex_unlock(&self->locked.mutex);
    if (is_given_up)
        free_feed(self);
    return NULL;
}

/* Each track once, with all its parts. */
static void
open_tracks(VoiceFeed *self, const GArray *inputs)
{
    g_autoptr(GHashTable) tracks = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < inputs->len; i++) {
        const ExporterInput *input = &g_array_index(inputs, ExporterInput, i);
        EncodedTrack *track = g_hash_table_lookup(tracks, input->title);

        if (track == NULL) {
            track = encoded_track_new(input->title, self->guard);
            g_hash_table_insert(tracks, (char *) input->title, track);
            g_ptr_array_add(self->tracks, sound_decoder_new(track, 0, self->guard));
        }
        encoded_track_add(track, input);
    }
}

static void
free_track(void *data)
{
    sound_decoder_free(data);
}

static GstAudioConverter *
new_converter(void)
{
    GstAudioInfo given;
    GstAudioInfo wanted;

    gst_audio_info_set_format(&given, GST_AUDIO_FORMAT_F32, SOUND_DECODER_RATE,
                              SOUND_DECODER_CHANNELS, NULL);
    gst_audio_info_set_format(&wanted, GST_AUDIO_FORMAT_S16, VOICE_FEED_RATE, 1, NULL);
    return gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &given, &wanted, NULL);
}

VoiceFeed *
voice_feed_start(const VoiceFeedOptions *options)
{
    VoiceFeed *self = g_new0(VoiceFeed, 1);

    g_assert(options->until_us > 0);
    self->guard = stall_guard_new(options->stall_us > 0 ? options->stall_us : DEFAULT_STALL_US);
    self->tracks = g_ptr_array_new_with_free_func(free_track);
    self->converter = new_converter();
    self->fd = options->fd;
    self->n_frames = options->until_us * VOICE_FEED_RATE / G_USEC_PER_SEC;
    g_mutex_init(&self->locked.mutex);
    g_cond_init(&self->locked.changed);
    open_tracks(self, options->inputs);
    self->thread = g_thread_new("voice", work, self);
    return self;
}

/* Returns: what does not come to an end, owned; NULL once the thread has ended. */
static char *
wait_for_end(VoiceFeed *self)
{
    char *stuck = NULL;

    g_mutex_lock(&self->locked.mutex);
    while (!self->locked.is_ended && stuck == NULL) {
        (void) g_cond_wait_until(&self->locked.changed, &self->locked.mutex,
                                 g_get_monotonic_time() + LOOK_EVERY_US);
        if (!self->locked.is_ended)
            stuck = stall_guard_stuck(self->guard);
    }
    g_mutex_unlock(&self->locked.mutex);
    return stuck;
}

bool
voice_feed_end(VoiceFeed *self, GError **error)
{
    GThread *thread = self->thread;
    g_autofree char *stuck = wait_for_end(self);
    bool is_good = false;

    if (stuck != NULL) {
        g_thread_unref(thread); /* it frees what is left, should it ever return */
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "%s does not come to an end", stuck);
        return false;
    }
    (void) g_thread_join(thread);
    is_good = self->locked.error == NULL;
    if (!is_good)
        g_propagate_error(error, g_steal_pointer(&self->locked.error));
    free_feed(self);
    return is_good;
}
