#include "agent/recorder/janus_source.h"

#include "agent/recorder/janus_publishers.h"
#include "agent/recorder/session_tracks.h"

#include <string.h>

/* How often Janus is asked what it forwards: it may have lost it without a word. As often the
 * secrets are looked at again, where they could not be read. */
#define CHECK_S 5

typedef enum {
    SOURCE_STARTING, /* the session does not record yet */
    SOURCE_CONNECTING,
    SOURCE_FOLLOWING,
    SOURCE_TROUBLE, /* trying again; `problem` says why */
    SOURCE_ENDING,
    SOURCE_ENDED,
} SourceState;

struct JanusSource {
    Session *session;
    const Settings *settings;
    JanusRoom room;
    bool ends_with_room;
    JanusPublishers *publishers;
    SourceState state;
    char *problem;
    unsigned watch;
    guint idle, check; /* sources of the main loop; 0: none */
    bool is_checking;
    int64_t asked_us;
};

/* Those who watch the session see the source in its published form. */
static void
move(JanusSource *self, SourceState state, const char *problem)
{
    bool is_new = false;

    if (problem != NULL && g_strcmp0(problem, self->problem) != 0) {
        g_warning("session %s: the Janus room can not be followed: %s; trying again",
                  session_id(self->session), problem);
    }
    is_new = state != self->state || g_strcmp0(problem, self->problem) != 0;
    self->state = state;
    g_free(self->problem);
    self->problem = g_strdup(problem);
    if (is_new && session_is_open(self->session))
        session_tell(self->session);
}

static void
on_listed(const json_t *data, const GError *error, void *user_data)
{
    JanusSource *self = user_data;

    self->is_checking = false;
    if (self->state != SOURCE_FOLLOWING)
        return;
    if (error == NULL) {
        janus_publishers_check(self->publishers, data, self->asked_us);
    } else {
        g_debug("session %s: %s", session_id(self->session), error->message);
    }
}

static void start(JanusSource *self);

static gboolean
look_after(gpointer data)
{
    JanusSource *self = data;

    if (self->room.client == NULL)
        start(self);
    if (self->state != SOURCE_FOLLOWING || self->is_checking)
        return G_SOURCE_CONTINUE;
    self->is_checking = true;
    self->asked_us = g_get_monotonic_time();
    janus_client_ask(self->room.client, janus_room_request(&self->room, "listforwarders"),
                     on_listed, self);
    return G_SOURCE_CONTINUE;
}

static void
on_joined(const json_t *data, const GError *error, void *user_data)
{
    JanusSource *self = user_data;

    if (self->state == SOURCE_ENDING || self->state == SOURCE_ENDED)
        return;
    if (error != NULL) {
        janus_client_restart(self->room.client, error->message);
    } else if (g_strcmp0(json_string_value(json_object_get(data, "videoroom")), "joined") != 0 ||
               !janus_publishers_take(self->publishers, json_object_get(data, "publishers"),
                                      true)) {
        janus_client_restart(self->room.client, "Janus talks nonsense: it does not say who is in "
                                                "the room");
    } else {
        g_message("session %s: follows its Janus room", session_id(self->session));
        move(self, SOURCE_FOLLOWING, NULL);
        janus_publishers_update(self->publishers);
        (void) look_after(self);
    }
}

static void
on_up(void *user_data)
{
    JanusSource *self = user_data;

    janus_client_ask(self->room.client, janus_room_join(&self->room), on_joined, self);
}

static void
on_down(const char *problem, void *user_data)
{
    JanusSource *self = user_data;

    self->is_checking = false;
    if (self->state != SOURCE_ENDING && self->state != SOURCE_ENDED)
        move(self, SOURCE_TROUBLE, problem);
}

static void
on_room_gone(JanusSource *self)
{
    g_message("session %s: its Janus room was destroyed", session_id(self->session));
    if (self->ends_with_room) {
        (void) session_stop(self->session); /* false: it has ended already */
    } else {
        janus_publishers_clear(self->publishers);
        janus_client_restart(self->room.client, "the room was destroyed");
    }
}

static void
on_event(const json_t *data, void *user_data)
{
    JanusSource *self = user_data;
    const char *kind = json_string_value(json_object_get(data, "videoroom"));
    const json_t *publishers = json_object_get(data, "publishers");
    const json_t *leaving = json_object_get(data, "leaving");
    const json_t *unpublished = json_object_get(data, "unpublished");

    if (self->state != SOURCE_FOLLOWING)
        return;
    if (g_strcmp0(kind, "destroyed") == 0) {
        on_room_gone(self);
        return;
    }
    if (g_strcmp0(json_string_value(leaving), "ok") == 0) {
        janus_client_restart(self->room.client, "the recorder was put out of the room");
        return;
    }
    if (publishers != NULL && !janus_publishers_take(self->publishers, publishers, false)) {
        janus_client_restart(self->room.client, "Janus talks nonsense: publishers that are none");
        return;
    }
    if (leaving != NULL)
        janus_publishers_remove(self->publishers, leaving);
    if (unpublished != NULL)
        janus_publishers_remove(self->publishers, unpublished);
    janus_publishers_update(self->publishers);
}

static void
on_closed(void *user_data)
{
    JanusSource *self = user_data;

    move(self, SOURCE_ENDED, NULL);
    session_unwatch(self->session, self->watch);
}

static void
start(JanusSource *self)
{
    const JanusClientOptions callbacks = {
        .on_up = on_up,
        .on_down = on_down,
        .on_event = on_event,
        .on_closed = on_closed,
        .user_data = self,
    };
    g_autoptr(GError) error = NULL;

    if (!janus_room_connect(&self->room, self->settings->janus, &callbacks, &error))
        move(self, SOURCE_TROUBLE, error->message);
}

/* What it forwards is stopped; then it leaves. */
static void
end(JanusSource *self)
{
    move(self, SOURCE_ENDING, NULL);
    if (self->check != 0)
        g_source_remove(self->check);
    self->check = 0;
    janus_publishers_clear(self->publishers);
    if (self->room.client != NULL) {
        janus_client_close(self->room.client);
    } else {
        on_closed(self);
    }
}

static gboolean
follow_session(gpointer data)
{
    JanusSource *self = data;

    self->idle = 0;
    if (!session_is_open(self->session)) {
        if (self->state != SOURCE_ENDING && self->state != SOURCE_ENDED)
            end(self);
    } else if (self->state == SOURCE_STARTING) {
        if (session_state(self->session) != SESSION_STATE_STARTING) {
            move(self, SOURCE_CONNECTING, NULL);
            start(self);
            self->check = g_timeout_add_seconds(CHECK_S, look_after, self);
        }
    } else {
        janus_publishers_update(self->publishers);
    }
    return G_SOURCE_REMOVE;
}

/* Not at once: what is done then changes the session again. */
static void
on_change(const Session *session, void *user_data)
{
    JanusSource *self = user_data;

    if (self->idle == 0)
        self->idle = g_idle_add(follow_session, self);
}

JanusSource *
janus_source_new(Session *session, const Settings *settings, const SourceRequest *request)
{
    JanusSource *self = g_new0(JanusSource, 1);

    self->session = session;
    self->settings = settings;
    self->room.id = json_incref(request->room);
    self->room.host = settings->janus->rtp_host;
    self->room.session = session;
    self->ends_with_room = request->ends_with_room;
    self->publishers = janus_publishers_new(&self->room);
    self->watch = session_watch(session, on_change, self);
    return self;
}

bool
janus_source_follows(const JanusSource *self, const json_t *room)
{
    return json_equal(self->room.id, room);
}

json_t *
janus_source_to_json(const JanusSource *self)
{
    static const char *const texts[] = {
        [SOURCE_STARTING] = "starting",   [SOURCE_CONNECTING] = "connecting",
        [SOURCE_FOLLOWING] = "following", [SOURCE_TROUBLE] = "trouble",
        [SOURCE_ENDING] = "ending",       [SOURCE_ENDED] = "ended",
    };

    return json_pack("{s:s, s:O, s:b, s:s, s:s*, s:o}", "type", "janus", "room", self->room.id,
                     "ends_with_room", self->ends_with_room, "state", texts[self->state], "problem",
                     self->problem, "publishers", janus_publishers_to_json(self->publishers));
}

void
janus_source_free(JanusSource *self)
{
    if (self == NULL)
        return;
    if (self->idle != 0)
        g_source_remove(self->idle);
    if (self->check != 0)
        g_source_remove(self->check);
    janus_publishers_free(self->publishers);
    janus_room_clear(&self->room);
    g_free(self->problem);
    g_free(self);
}
