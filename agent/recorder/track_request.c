#include "agent/recorder/track_request.h"

#include "agent/recorder/request_members.h"
#include "storage/manifest.h"

#include <string.h>

enum { COMFORT_NOISE = 13 };

static void
take_codec(TrackRequest *self, const json_t *form, char **fault)
{
    const char *kind = json_string_value(json_object_get(form, "kind"));
    const char *codec = json_string_value(json_object_get(form, "codec"));
    const char *why = NULL;

    if (*fault != NULL)
        return;
    if (kind == NULL || (strcmp(kind, "audio") != 0 && strcmp(kind, "video") != 0)) {
        *fault = g_strdup("\"kind\" must be \"audio\" or \"video\"");
    } else if (codec == NULL) {
        *fault = g_strdup("\"codec\" must be one of \"opus\", \"pcmu\", \"pcma\", \"g722\", "
                          "\"vp8\", \"vp9\", \"h264\"");
    } else if (!media_codec_parse(codec, &self->format.codec, &why)) {
        *fault = g_strdup_printf("\"codec\": %s", why);
    } else if (media_codec_is_video(self->format.codec) != (strcmp(kind, "video") == 0)) {
        *fault = g_strdup_printf("\"codec\" %s is not %s", codec, kind);
    }
}

static void
take_format(TrackRequest *self, const json_t *form, char **fault)
{
    const char *why = NULL;

    take_codec(self, form, fault);
    self->format.payload_type = (uint8_t) request_members_number(
        form, "payload_type", (int64_t[]){0, 127},
        media_codec_static_payload_type(self->format.codec), fault);
    self->format.clock_rate =
        (uint32_t) request_members_number(form, "clock_rate", (int64_t[]){1, 1000000}, -1, fault);
    self->format.channels =
        (uint8_t) request_members_number(form, "channels", (int64_t[]){1, 2},
                                         media_codec_default_channels(self->format.codec), fault);
    if (*fault != NULL)
        return;
    why = media_format_fault(&self->format);
    if (why != NULL)
        *fault = g_strdup(why);
}

/* One declared payload type, {"payload_type":N}, beside the track's own. */
static void
take_role(TrackRequest *self, const json_t *form, RtpRole role, char **fault)
{
    static const char *const known[] = {"payload_type", NULL};
    static const char *const known_of_rtx[] = {"payload_type", "ssrc", NULL};
    int64_t payload_type = 0;

    if (!request_members_are_known(form, role == RTP_ROLE_RTX ? known_of_rtx : known, fault))
        return;
    payload_type = request_members_number(form, "payload_type", (int64_t[]){0, 127}, -1, fault);
    if (role == RTP_ROLE_RTX && json_object_get(form, "ssrc") != NULL) {
        self->roles.rtx_ssrc =
            (uint32_t) request_members_number(form, "ssrc", (int64_t[]){0, UINT32_MAX}, -1, fault);
        self->roles.has_rtx_ssrc = true;
    }
    if (*fault != NULL)
        return;
    if (payload_type == self->format.payload_type ||
        self->roles.of[payload_type] != RTP_ROLE_FOREIGN) {
        *fault = g_strdup_printf("payload type %d is declared twice", (int) payload_type);
    } else {
        self->roles.of[payload_type] = (uint8_t) role;
    }
}

static void
take_roles(TrackRequest *self, const json_t *form, char **fault)
{
    static const struct {
        const char *name;
        RtpRole role;
        bool is_audio_only;
    } members[] = {
        {"rtx",             RTP_ROLE_RTX,    false},
        {"red",             RTP_ROLE_RED,    false},
        {"ulpfec",          RTP_ROLE_BESIDE, false},
        {"telephone_event", RTP_ROLE_BESIDE, true },
    };
    const bool is_video = media_codec_is_video(self->format.codec);

    for (size_t i = 0; i < G_N_ELEMENTS(members) && *fault == NULL; i++) {
        const json_t *member = json_object_get(form, members[i].name);
        g_autofree char *cause = NULL;

        if (member == NULL)
            continue;
        if (members[i].is_audio_only && is_video) {
            cause = g_strdup("goes with \"kind\" \"audio\" only");
        } else {
            take_role(self, member, members[i].role, &cause);
        }
        if (cause != NULL)
            *fault = g_strdup_printf("\"%s\": %s", members[i].name, cause);
    }
    /* RFC 3389 5: comfort noise has this number of old. */
    if (!is_video && self->format.payload_type != COMFORT_NOISE &&
        self->roles.of[COMFORT_NOISE] == RTP_ROLE_FOREIGN)
        self->roles.of[COMFORT_NOISE] = RTP_ROLE_BESIDE;
}

static void
take_feedback(TrackRequest *self, const json_t *list, char **fault)
{
    static const char *const sentence =
        "\"feedback\" must be a list of \"pli\" and \"fir\", or an empty one";
    size_t i = 0;
    json_t *member = NULL;

    self->feedback = list == NULL ? RTCP_FEEDBACK_PLI : 0;
    if (*fault == NULL && list != NULL && !json_is_array(list))
        *fault = g_strdup(sentence);
    json_array_foreach(list, i, member)
    {
        const char *name = json_string_value(member);

        if (g_strcmp0(name, "pli") == 0) {
            self->feedback |= RTCP_FEEDBACK_PLI;
        } else if (g_strcmp0(name, "fir") == 0) {
            self->feedback |= RTCP_FEEDBACK_FIR;
        } else if (*fault == NULL) {
            *fault = g_strdup(sentence);
        }
    }
}

TrackRequest *
track_request_parse(const json_t *form, const Participants *participants, char **fault)
{
    static const char *const known[] = {
        "id",   "participant", "kind", "codec",  "payload_type",    "clock_rate", "channels",
        "srtp", "rtx",         "red",  "ulpfec", "telephone_event", "feedback",   NULL};
    g_autoptr(TrackRequest) self = g_new0(TrackRequest, 1);

    *fault = NULL;
    if (!request_members_are_known(form, known, fault))
        return NULL;
    self->id = request_members_id(form, "id", fault);
    if (self->id != NULL && g_str_has_prefix(self->id, TRANSCRIPT_TRACK_PREFIX)) {
        *fault = g_strdup("\"id\": names that begin with " TRANSCRIPT_TRACK_PREFIX
                          " are for transcripts");
    }
    self->participant = request_members_id(form, "participant", fault);
    take_format(self, form, fault);
    take_roles(self, form, fault);
    take_feedback(self, json_object_get(form, "feedback"), fault);
    if (*fault == NULL && json_object_get(form, "srtp") != NULL) {
        self->srtp = srtp_key_parse(json_object_get(form, "srtp"), fault);
    }
    if (*fault == NULL && !participants_contain(participants, self->participant)) {
        *fault = g_strdup_printf("\"participant\": there is no participant %s in this session",
                                 self->participant);
    }
    return *fault == NULL ? g_steal_pointer(&self) : NULL;
}

void
track_request_free(TrackRequest *self)
{
    if (self == NULL)
        return;
    g_free(self->id);
    g_free(self->participant);
    srtp_key_free(self->srtp);
    g_free(self);
}
