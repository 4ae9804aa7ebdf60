#include "agent/recorder/janus_stream.h"

#include <glib.h>
#include <string.h>

#define UNNAMED "(not named)"

struct JanusStream {
    json_t *mid;
    char *kind, *codec;
    bool is_simulcast;
};

/* What Janus may say, and what we let it make of the payload type. */
typedef struct {
    const char *codec, *kind;
    int payload_type, clock_rate, channels;
} Codec;

static const Codec codecs[] = {
    {"opus", "audio", 111, 48000, 2},
    {"pcmu", "audio", 0,   8000,  1},
    {"pcma", "audio", 8,   8000,  1},
    {"g722", "audio", 9,   8000,  1},
    {"vp8",  "video", 96,  90000, 1},
    {"vp9",  "video", 96,  90000, 1},
    {"h264", "video", 96,  90000, 1},
};

static const Codec *
find_codec(const JanusStream *self)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
        if (g_ascii_strcasecmp(codecs[i].codec, self->codec) == 0 &&
            strcmp(codecs[i].kind, self->kind) == 0)
            return &codecs[i];
    }
    return NULL;
}

static const char *
text_of(const json_t *listed, const char *member)
{
    return json_string_value(json_object_get(listed, member));
}

static const char *
codec_of(const json_t *listed)
{
    const char *codec = text_of(listed, "codec");

    return codec != NULL ? codec : UNNAMED;
}

bool
janus_stream_is_active(const json_t *listed)
{
    const char *kind = text_of(listed, "type");

    return !json_is_true(json_object_get(listed, "disabled")) && text_of(listed, "mid") != NULL &&
           (g_strcmp0(kind, "audio") == 0 || g_strcmp0(kind, "video") == 0);
}

JanusStream *
janus_stream_new(const json_t *listed)
{
    JanusStream *self = g_new0(JanusStream, 1);

    self->mid = json_incref(json_object_get(listed, "mid"));
    self->kind = g_strdup(text_of(listed, "type"));
    self->codec = g_strdup(codec_of(listed));
    self->is_simulcast = json_is_true(json_object_get(listed, "simulcast"));
    return self;
}

bool
janus_stream_is(const JanusStream *self, const json_t *listed)
{
    return json_equal(self->mid, json_object_get(listed, "mid")) &&
           g_strcmp0(self->kind, text_of(listed, "type")) == 0 &&
           strcmp(self->codec, codec_of(listed)) == 0;
}

const char *
janus_stream_kind(const JanusStream *self)
{
    return self->kind;
}

json_t *
janus_stream_track(const JanusStream *self, const char *id, const char *participant, char **fault)
{
    const Codec *codec = find_codec(self);

    if (codec == NULL) {
        *fault = g_strdup_printf("the codec %s can not be recorded", self->codec);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i}", "id", id, "participant", participant,
                     "kind", self->kind, "codec", codec->codec, "payload_type", codec->payload_type,
                     "clock_rate", codec->clock_rate, "channels", codec->channels);
}

json_t *
janus_stream_forward(const JanusStream *self, const char *host, uint16_t port)
{
    const Codec *codec = find_codec(self);
    json_t *row = NULL;

    g_assert(codec != NULL); /* without one there is no track to forward it to */
    row = json_pack("{s:O, s:s, s:i, s:i}", "mid", self->mid, "host", host, "port", port, "pt",
                    codec->payload_type);
    if (strcmp(self->kind, "video") == 0)
        json_object_set_new(row, "rtcp_port", json_integer(port + 1));
    /* Janus then sends one layer, the best that comes. */
    if (self->is_simulcast)
        json_object_set_new(row, "simulcast", json_true());
    return row;
}

void
janus_stream_free(JanusStream *self)
{
    if (self == NULL)
        return;
    json_decref(self->mid);
    g_free(self->kind);
    g_free(self->codec);
    g_free(self);
}
