#include "agent/recorder/session_request.h"

#include "agent/recorder/request_members.h"

#include <string.h>

#define MAX_TRACKS    256
#define MAX_REFERENCE 256
#define MAX_ROOM      256

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

/* A word of the organisation's own, as its rules for minors name it. */
static void
take_service(SessionRequest *self, const json_t *member, char **fault)
{
    const char *text = json_string_value(member);

    if (*fault != NULL || member == NULL || json_is_null(member))
        return;
    if (text == NULL || strlen(text) != json_string_length(member) ||
        !g_regex_match_simple("^[a-z0-9][a-z0-9-]{0,63}$", text, G_REGEX_DOLLAR_ENDONLY, 0)) {
        *fault = g_strdup("\"service\" must be 1 to 64 of a-z, 0-9 and hyphen, starting with a "
                          "letter or digit");
    } else {
        self->service = g_strdup(text);
    }
}

static void
take_label(SessionRequest *self, const json_t *member, char **fault)
{
    if (*fault != NULL || member == NULL || json_is_null(member))
        return;
    self->label = part2_label(json_string_value(member));
    if (self->label == PART2_NONE)
        *fault = g_strdup("\"label\" must be \"part2\" or \"sud-notes\"");
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

    if (!request_members_are_known(source, known, &cause)) {
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
    static const char *const known[] = {"org",          "reference", "service", "label",
                                        "participants", "tracks",    "source",  NULL};
    g_autoptr(SessionRequest) self = g_new0(SessionRequest, 1);

    *fault = NULL;
    self->participants = participants_new();
    self->tracks = g_ptr_array_new_with_free_func((GDestroyNotify) track_request_free);
    if (body == NULL) {
        *fault = g_strdup("a session needs a JSON body");
        return NULL;
    }
    if (!request_members_are_known(body, known, fault))
        return NULL;
    self->org = request_members_id(body, "org", fault);
    take_reference(self, json_object_get(body, "reference"), fault);
    take_service(self, json_object_get(body, "service"), fault);
    take_label(self, json_object_get(body, "label"), fault);
    take_source(self, json_object_get(body, "source"), fault);
    take_participants(self, json_object_get(body, "participants"), fault);
    take_tracks(self, json_object_get(body, "tracks"), fault);
    return *fault == NULL ? g_steal_pointer(&self) : NULL;
}

void
session_request_free(SessionRequest *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->reference);
    g_free(self->service);
    participants_free(self->participants);
    g_ptr_array_unref(self->tracks);
    if (self->source != NULL)
        json_decref(self->source->room);
    g_free(self->source);
    g_free(self);
}
