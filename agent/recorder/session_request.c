#include "agent/recorder/session_request.h"

#include "agent/recorder/shown_text.h"
#include "crypto/age_context.h"

#include <string.h>

#define MAX_TRACKS    256
#define MAX_REFERENCE 256
#define MAX_ROOM      256
#define ID_RULE       "1 to 64 of a-z, 0-9, dot, hyphen and underscore, starting with a letter or digit"

/* Refuses members that nobody knows: a misspelt one must not go unnoticed. */
static bool
knows_members(const json_t *form, const char *const *known, char **fault)
{
    const char *name = NULL;
    json_t *value = NULL;

    if (!json_is_object(form)) {
        *fault = g_strdup("must be an object");
        return false;
    }
    json_object_foreach((json_t *) form, name, value)
    {
        if (!g_strv_contains(known, name)) {
            g_autofree char *shown = shown_text(name);
            *fault = g_strdup_printf("\"%s\" is not a known member", shown);
            return false;
        }
    }
    return true;
}

static char *
take_id(const json_t *form, const char *name, char **fault)
{
    const json_t *member = json_object_get(form, name);
    const char *text = json_string_value(member);

    if (*fault != NULL)
        return NULL;
    if (member == NULL) {
        *fault = g_strdup_printf("\"%s\" is missing", name);
    } else if (text == NULL || strlen(text) != json_string_length(member) ||
               !age_context_id_is_valid(text)) {
        *fault = g_strdup_printf("\"%s\" must be a string of " ID_RULE, name);
    }
    return *fault == NULL ? g_strdup(text) : NULL;
}

/* An integer of `low` to `high`; `otherwise` where it is missing and that is not negative. */
static int64_t
take_number(const json_t *form, const char *name, const int64_t range[2], int64_t otherwise,
            char **fault)
{
    const json_t *member = json_object_get(form, name);
    const int64_t value = json_integer_value(member);

    if (*fault != NULL)
        return 0;
    if (member == NULL && otherwise >= 0)
        return otherwise;
    if (member == NULL) {
        *fault = g_strdup_printf("\"%s\" is missing", name);
    } else if (!json_is_integer(member) || value < range[0] || value > range[1]) {
        *fault = g_strdup_printf("\"%s\" must be an integer from %" G_GINT64_FORMAT
                                 " to %" G_GINT64_FORMAT,
                                 name, range[0], range[1]);
    }
    return value;
}

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
    self->format.payload_type =
        (uint8_t) take_number(form, "payload_type", (int64_t[]){0, 127},
                              media_codec_static_payload_type(self->format.codec), fault);
    self->format.clock_rate =
        (uint32_t) take_number(form, "clock_rate", (int64_t[]){1, 1000000}, -1, fault);
    self->format.channels =
        (uint8_t) take_number(form, "channels", (int64_t[]){1, 2},
                              media_codec_default_channels(self->format.codec), fault);
    if (*fault != NULL)
        return;
    why = media_format_fault(&self->format);
    if (why != NULL)
        *fault = g_strdup(why);
}

TrackRequest *
track_request_parse(const json_t *form, const Participants *participants, char **fault)
{
    static const char *const known[] = {"id",       "participant",  "kind",
                                        "codec",    "payload_type", "clock_rate",
                                        "channels", "srtp",         NULL};
    g_autoptr(TrackRequest) self = g_new0(TrackRequest, 1);

    *fault = NULL;
    if (!knows_members(form, known, fault))
        return NULL;
    self->id = take_id(form, "id", fault);
    self->participant = take_id(form, "participant", fault);
    take_format(self, form, fault);
    if (*fault == NULL && json_object_get(form, "srtp") != NULL) {
        self->srtp = srtp_key_parse(json_object_get(form, "srtp"), fault);
    }
    if (*fault == NULL && !participants_contain(participants, self->participant)) {
        *fault = g_strdup_printf("\"participant\": there is no participant %s in this session",
                                 self->participant);
    }
    return *fault == NULL ? g_steal_pointer(&self) : NULL;
}

static bool
has_track(const GPtrArray *tracks, const char *id)
{
    for (guint i = 0; i < tracks->len; i++) {
        if (strcmp(((const TrackRequest *) g_ptr_array_index(tracks, i))->id, id) == 0)
            return true;
    }
    return false;
}

static void
take_tracks(SessionRequest *self, const json_t *list, char **fault)
{
    if (*fault != NULL || list == NULL)
        return;
    if (!json_is_array(list) || json_array_size(list) > MAX_TRACKS) {
        *fault = g_strdup_printf("\"tracks\" must be a list of at most %d", MAX_TRACKS);
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        g_autofree char *cause = NULL;
        TrackRequest *track =
            track_request_parse(json_array_get(list, i), self->participants, &cause);

        if (track == NULL) {
            *fault = g_strdup_printf("tracks[%zu]: %s", i, cause);
            return;
        }
        if (has_track(self->tracks, track->id)) {
            *fault = g_strdup_printf("tracks[%zu]: there is a track %s already", i, track->id);
            track_request_free(track);
            return;
        }
        g_ptr_array_add(self->tracks, track);
    }
}

static void
take_participants(SessionRequest *self, const json_t *list, char **fault)
{
    if (*fault != NULL)
        return;
    if (!json_is_array(list)) {
        *fault = g_strdup("\"participants\" must be a list");
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        g_autofree char *cause = participants_add(self->participants, json_array_get(list, i));

        if (cause != NULL) {
            *fault = g_strdup_printf("participants[%zu]: %s", i, cause);
            return;
        }
    }
}

static void
take_reference(SessionRequest *self, const json_t *member, char **fault)
{
    if (*fault != NULL || member == NULL || json_is_null(member))
        return;
    if (!json_is_string(member) || json_string_length(member) > MAX_REFERENCE) {
        *fault =
            g_strdup_printf("\"reference\" must be a string of at most %d bytes", MAX_REFERENCE);
    } else {
        self->reference = g_strdup(json_string_value(member));
    }
}

static bool
is_room(const json_t *room)
{
    return (json_is_integer(room) && json_integer_value(room) > 0) ||
           (json_is_string(room) && json_string_length(room) > 0 &&
            json_string_length(room) <= MAX_ROOM);
}

static void
take_janus(SessionRequest *self, const json_t *source, char **fault)
{
    static const char *const known[] = {"type", "room", "ends_with_room", NULL};
    const json_t *ends = json_object_get(source, "ends_with_room");
    json_t *room = json_object_get(source, "room");
    g_autofree char *cause = NULL;

    if (!knows_members(source, known, &cause)) {
        *fault = g_strdup_printf("\"source\": %s", cause);
    } else if (!is_room(room)) {
        *fault = g_strdup("\"source\": \"room\" must be a positive whole number, or a string");
    } else if (ends != NULL && !json_is_boolean(ends)) {
        *fault = g_strdup("\"source\": \"ends_with_room\" must be true or false");
    } else {
        self->source = g_new0(SourceRequest, 1);
        self->source->room = json_incref(room);
        self->source->ends_with_room = ends == NULL || json_is_true(ends);
    }
}

static void
take_source(SessionRequest *self, const json_t *source, char **fault)
{
    const char *type = json_string_value(json_object_get(source, "type"));

    if (*fault != NULL || source == NULL || g_strcmp0(type, "rtp") == 0)
        return;
    if (g_strcmp0(type, "janus") == 0) {
        take_janus(self, source, fault);
    } else {
        *fault = g_strdup("\"source\": \"type\" must be \"rtp\" or \"janus\"");
    }
}

SessionRequest *
session_request_parse(const json_t *body, char **fault)
{
    static const char *const known[] = {"org",    "reference", "participants",
                                        "tracks", "source",    NULL};
    g_autoptr(SessionRequest) self = g_new0(SessionRequest, 1);

    *fault = NULL;
    self->participants = participants_new();
    self->tracks = g_ptr_array_new_with_free_func((GDestroyNotify) track_request_free);
    if (body == NULL) {
        *fault = g_strdup("a session needs a JSON body");
        return NULL;
    }
    if (!knows_members(body, known, fault))
        return NULL;
    self->org = take_id(body, "org", fault);
    take_reference(self, json_object_get(body, "reference"), fault);
    take_source(self, json_object_get(body, "source"), fault);
    take_participants(self, json_object_get(body, "participants"), fault);
    take_tracks(self, json_object_get(body, "tracks"), fault);
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

void
session_request_free(SessionRequest *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->reference);
    participants_free(self->participants);
    g_ptr_array_unref(self->tracks);
    if (self->source != NULL)
        json_decref(self->source->room);
    g_free(self->source);
    g_free(self);
}
