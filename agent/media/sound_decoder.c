#include "agent/media/sound_decoder.h"

#include "agent/media/audio_packet.h"
#include "agent/media/media_pad.h"
#include "agent/media/media_stage.h"
#include "agent/media/sound_queue.h"

#include <gst/audio/audio.h>
#include <string.h>

/* Decoders need to hear a little before they are right. */
#define WARM_UP_US INT64_C(200000)
/* Longer packets exist nowhere; one that claims so is damaged. */
#define MAX_PACKET_US INT64_C(1000000)

struct SoundDecoder {
    EncodedTrack *track;
    StallGuard *guard;
    char *what;
    int64_t from_us;
    int64_t read_position;
    SoundQueue *queue;
    MediaStage *stage; /* NULL: the next packet begins one */
    unsigned part;
    GstAudioConverter *converter;
    GstAudioInfo info;      /* of what the converter takes */
    int64_t packet_us;      /* of the packet that is being decoded */
    int64_t n_pending_rate; /* what the converter keeps back: frames x both rates */
};

static const char *const decoders[] = {
    [MEDIA_CODEC_OPUS] = "opusdec",
    [MEDIA_CODEC_PCMU] = "mulawdec",
    [MEDIA_CODEC_PCMA] = "alawdec",
    [MEDIA_CODEC_G722] = "avdec_g722",
};

static int64_t
position_of(int64_t time_us)
{
    return time_us * (SOUND_DECODER_RATE / 1000) / 1000;
}

SoundDecoder *
sound_decoder_new(EncodedTrack *track, int64_t from_us, StallGuard *guard)
{
    SoundDecoder *self = g_new0(SoundDecoder, 1);

    self->track = track;
    self->guard = guard;
    self->what = g_strdup_printf("the decoder of track %s", encoded_track_title(track));
    self->from_us = from_us;
    self->read_position = position_of(from_us);
    self->queue = sound_queue_new(self->read_position);
    gst_audio_info_init(&self->info);
    return self;
}

/* Whether the converter suits what the decoder gives now; it is made anew if not. */
static bool
suit_converter(SoundDecoder *self, const GstCaps *caps)
{
    GstAudioInfo given;
    GstAudioInfo wanted;

    if (caps == NULL || !gst_audio_info_from_caps(&given, caps) || given.rate <= 0)
        return false;
    if (self->converter != NULL && gst_audio_info_is_equal(&given, &self->info))
        return true;
    g_clear_pointer(&self->converter, gst_audio_converter_free);
    gst_audio_info_set_format(&wanted, GST_AUDIO_FORMAT_F32, SOUND_DECODER_RATE,
                              SOUND_DECODER_CHANNELS, NULL);
    self->info = given;
    self->n_pending_rate = 0;
    self->converter = gst_audio_converter_new(0, &given, &wanted, NULL);
    return self->converter != NULL;
}

/* A resampler gives back a little later than it gets; what it holds stood before this packet. */
static void
convert(SoundDecoder *self, GstAudioBuffer *decoded)
{
    const size_t n_in = (size_t) GST_AUDIO_BUFFER_N_SAMPLES(decoded);
    const size_t n_out = gst_audio_converter_get_out_frames(self->converter, n_in);
    g_autofree float *samples = g_new0(float, (n_out + 1) * SOUND_DECODER_CHANNELS);
    void *out[] = {samples};
    int64_t position =
        position_of(self->packet_us) - self->n_pending_rate / GST_AUDIO_INFO_RATE(&self->info);

    if (!gst_audio_converter_samples(self->converter, 0, decoded->planes, n_in, out, n_out))
        return;
    self->n_pending_rate +=
        (int64_t) n_in * SOUND_DECODER_RATE - (int64_t) n_out * GST_AUDIO_INFO_RATE(&self->info);
    sound_queue_add(self->queue, position, samples, (unsigned) n_out);
    explicit_bzero(samples, n_out * SOUND_DECODER_CHANNELS * sizeof(float));
}

static void
on_sound(GstBuffer *buffer, const GstCaps *caps, void *user_data)
{
    SoundDecoder *self = user_data;
    GstAudioBuffer decoded;

    if (suit_converter(self, caps) &&
        gst_audio_buffer_map(&decoded, &self->info, buffer, GST_MAP_READ)) {
        convert(self, &decoded);
        gst_audio_buffer_unmap(&decoded);
    }
    gst_buffer_unref(buffer);
}

static bool
begin(SoundDecoder *self, const EncodedFrame *next, GError **error)
{
    g_autoptr(GstCaps) caps = export_codec_caps(next->codec, next->track, false);
    const MediaStageOptions options = {
        .factory = decoders[next->codec->codec],
        .caps = caps,
        .wanted = "audio/x-raw,layout=interleaved",
        .guard = self->guard,
        .what = self->what,
        .on_buffer = on_sound,
        .user_data = self,
    };

    self->part = next->part;
    self->n_pending_rate = 0;
    if (self->converter != NULL)
        gst_audio_converter_reset(self->converter);
    self->stage = media_stage_new(&options, error);
    return self->stage != NULL;
}

static bool
is_wanted(const SoundDecoder *self, const EncodedFrame *next)
{
    const int64_t duration_us = audio_packet_duration_us(next->codec->codec, next->track->channels,
                                                         next->frame.bytes, next->frame.n_bytes);

    return next->frame.time_us >= self->from_us - WARM_UP_US && duration_us > 0 &&
           duration_us <= MAX_PACKET_US;
}

static bool
decode(SoundDecoder *self, const EncodedFrame *next, GError **error)
{
    GstBuffer *buffer = NULL;

    if (!is_wanted(self, next))
        return true;
    if (next->part != self->part) {
        g_clear_pointer(&self->stage, media_stage_free);
    }
    if (self->stage == NULL && !begin(self, next, error))
        return false;
    self->packet_us = next->frame.time_us;
    buffer = media_pad_new_buffer(next->frame.bytes, next->frame.n_bytes);
    GST_BUFFER_PTS(buffer) = (GstClockTime) MAX(self->packet_us, 0) * 1000;
    if (!media_stage_push(self->stage, buffer)) {
        g_clear_pointer(&self->stage, media_stage_free);
    }
    return true;
}

bool
sound_decoder_read(SoundDecoder *self, float *samples, unsigned n_frames, GError **error)
{
    const int64_t until = self->read_position + n_frames;
    GError *cause = NULL;
    EncodedFrame next;

    while (encoded_track_peek(self->track, &next, &cause) &&
           position_of(next.frame.time_us) < until + SOUND_QUEUE_STEP_FRAMES) {
        if (!decode(self, &next, error))
            return false;
        encoded_track_pop(self->track);
    }
    if (cause != NULL) {
        g_propagate_error(error, cause);
        return false;
    }
    sound_queue_take(self->queue, samples, n_frames);
    self->read_position = until;
    return true;
}

void
sound_decoder_free(SoundDecoder *self)
{
    if (self == NULL)
        return;
    media_stage_free(self->stage);
    g_clear_pointer(&self->converter, gst_audio_converter_free);
    sound_queue_free(self->queue);
    encoded_track_free(self->track);
    g_free(self->what);
    g_free(self);
}
