#include "agent/recorder/janus_forward.h"

#include "agent/recorder/janus_listing.h"
#include "agent/recorder/janus_stream.h"
#include "agent/recorder/session_tracks.h"

#include <string.h>

/* A participant who comes and goes gets a new track each time, up to this many of a kind. */
#define MAX_TRACKS_OF_KIND 64

/* What becomes of it, in this order; a lost connection or a refusal leads back to WAITING. */
typedef enum {
    FORWARD_ADDING,   /* its track is being added */
    FORWARD_WAITING,  /* until it may be recorded, or for Janus */
    FORWARD_CLEARING, /* whoever still sends to its port is being stopped */
    FORWARD_ASKING,
    FORWARD_RUNNING,
    FORWARD_IMPOSSIBLE, /* for good */
} ForwardState;

struct JanusForward {
    unsigned n_refs; /* its owner's, and one for each answer that is waited for */
    JanusRoom *room;
    Session *session;
    JanusClient *client;
    ForwardState state;
    char *track;
    json_t *publisher;
    JanusStream *stream;
    char *problem;
    bool is_over;      /* its owner has let go */
    uint16_t port;     /* the last its track had; 0: none yet */
    json_t *stream_id; /* Janus' name for it; NULL: not forwarded */
    int64_t running_since_us;
};

static void ask_to_forward(JanusForward *self);

static void
unref(JanusForward *self)
{
    if (--self->n_refs > 0)
        return;
    g_free(self->track);
    json_decref(self->publisher);
    json_decref(self->stream_id);
    janus_stream_free(self->stream);
    g_free(self->problem);
    g_free(self);
}

static void
set_problem(JanusForward *self, ForwardState state, const char *problem)
{
    if (g_strcmp0(self->problem, problem) != 0) {
        g_warning("session %s: track %s is not forwarded: %s", session_id(self->session),
                  self->track != NULL ? self->track : "-", problem);
    }
    self->state = state;
    g_free(self->problem);
    self->problem = g_strdup(problem);
}

/* Returns: an id that the session does not have yet, owned; NULL: there were too many. */
static char *
free_track_id(const JanusForward *self, const char *participant)
{
    const char *kind = janus_stream_kind(self->stream);

    for (unsigned n = 1; n <= MAX_TRACKS_OF_KIND; n++) {
        g_autofree char *id = n == 1 ? g_strdup_printf("%s-%s", participant, kind)
                                     : g_strdup_printf("%s-%s-%u", participant, kind, n);

        if (!session_has_track(self->session, id))
            return g_steal_pointer(&id);
    }
    return NULL;
}

/* Returns: the track's request; NULL sets `fault`, owned. */
static TrackRequest *
track_request(JanusForward *self, const char *participant, char **fault)
{
    g_autofree char *id = free_track_id(self, participant);
    json_t *form = NULL;
    TrackRequest *request = NULL;

    if (id == NULL) {
        *fault = g_strdup("this participant came back too often");
        return NULL;
    }
    form = janus_stream_track(self->stream, id, participant, fault);
    if (form == NULL)
        return NULL;
    self->track = g_steal_pointer(&id);
    request = session_parse_track(self->session, form, fault);
    json_decref(form);
    return request;
}

static void
on_track_added(Session *session, const char *reason, const GError *error, void *user_data)
{
    JanusForward *self = user_data;

    if (self->is_over) {
        session_end_track(session, self->track);
    } else if (error == NULL || g_error_matches(error, RECORDER_ERROR, RECORDER_ERROR_REFUSED)) {
        /* Where consent is missing the session keeps the track, and begins it when it comes. */
        self->state = FORWARD_WAITING;
        janus_forward_update(self);
    } else {
        set_problem(self, FORWARD_IMPOSSIBLE, error->message);
    }
    unref(self);
}

JanusForward *
janus_forward_new(JanusRoom *room, const json_t *publisher, const char *participant,
                  const json_t *stream)
{
    JanusForward *self = g_new0(JanusForward, 1);
    g_autofree char *fault = NULL;
    TrackRequest *request = NULL;

    self->n_refs = 1;
    self->room = room;
    self->session = room->session;
    self->client = room->client;
    self->publisher = json_incref((json_t *) publisher);
    self->stream = janus_stream_new(stream);
    self->state = FORWARD_ADDING;
    request = track_request(self, participant, &fault);
    if (request == NULL) {
        set_problem(self, FORWARD_IMPOSSIBLE, fault);
        return self;
    }
    self->n_refs++;
    session_add_track(self->session, request, on_track_added, self);
    return self;
}

bool
janus_forward_is_of(const JanusForward *self, const json_t *stream)
{
    return janus_stream_is(self->stream, stream);
}

static void
on_stopped(const json_t *data, const GError *error, void *user_data)
{
    JanusForward *self = user_data;

    /* A publisher who left took the forward along; where it is there still, the next check stops
     * it again. */
    if (error != NULL)
        g_debug("session %s: %s", session_id(self->session), error->message);
    unref(self);
}

static void
stop_stream(JanusForward *self, const json_t *publisher, const json_t *stream_id)
{
    json_t *request = janus_room_request(self->room, "stop_rtp_forward");

    json_object_set(request, "publisher_id", (json_t *) publisher);
    json_object_set(request, "stream_id", (json_t *) stream_id);
    self->n_refs++;
    janus_client_ask(self->client, request, on_stopped, self);
}

static void
stop_if_known(JanusForward *self)
{
    if (self->stream_id != NULL)
        stop_stream(self, self->publisher, self->stream_id);
    g_clear_pointer(&self->stream_id, json_decref);
}

/* What sends to our port without being asked to: left by a recorder that ended in between, or it
 * was to be stopped and was not. */
static void
stop_stranger(const json_t *entry, const json_t *publisher, void *user_data)
{
    JanusForward *self = user_data;
    const json_int_t port = json_integer_value(json_object_get(entry, "port"));

    if (publisher == NULL || (port != self->port && port != self->port + 1) ||
        g_strcmp0(json_string_value(json_object_get(entry, "host")), self->room->host) != 0)
        return;
    g_message("session %s: stopping a forward to port %u that nobody asked for",
              session_id(self->session), (unsigned) port);
    stop_stream(self, publisher, json_object_get(entry, "stream_id"));
}

/* Takes the port that the track has now. Returns: whether it has one, for it may be recorded. */
static bool
has_port(JanusForward *self)
{
    const uint16_t port = session_track_port(self->session, self->track);

    if (port != 0)
        self->port = port;
    return port != 0;
}

static void
on_listed(const json_t *data, const GError *error, void *user_data)
{
    JanusForward *self = user_data;

    if (self->is_over) {
        unref(self);
        return;
    }
    if (error != NULL) {
        set_problem(self, FORWARD_WAITING, error->message);
    } else if (!has_port(self)) {
        self->state = FORWARD_WAITING;
    } else {
        janus_listing_walk(data, stop_stranger, self);
        ask_to_forward(self);
    }
    unref(self);
}

static void
on_forwarded(const json_t *data, const GError *error, void *user_data)
{
    JanusForward *self = user_data;

    if (error == NULL)
        self->stream_id = json_incref(janus_listing_stream_to(data, self->port));
    if (self->is_over) {
        /* janus_forward_end() could not know the stream yet. */
        stop_if_known(self);
    } else if (error != NULL) {
        set_problem(self, FORWARD_WAITING, error->message);
    } else if (self->stream_id == NULL) {
        set_problem(self, FORWARD_WAITING,
                    "Janus talks nonsense: it does not say what it forwards");
    } else {
        self->state = FORWARD_RUNNING;
        self->running_since_us = g_get_monotonic_time();
        g_clear_pointer(&self->problem, g_free);
        g_message("session %s: track %s is forwarded", session_id(self->session), self->track);
        janus_forward_update(self); /* it may have been forbidden in between */
    }
    unref(self);
}

static void
ask_to_forward(JanusForward *self)
{
    json_t *request = janus_room_request(self->room, "rtp_forward");

    json_object_set(request, "publisher_id", self->publisher);
    json_object_set_new(request, "host", json_string(self->room->host));
    json_object_set_new(
        request, "streams",
        json_pack("[o]", janus_stream_forward(self->stream, self->room->host, self->port)));
    self->state = FORWARD_ASKING;
    self->n_refs++;
    janus_client_ask(self->client, request, on_forwarded, self);
}

void
janus_forward_update(JanusForward *self)
{
    if (self->state == FORWARD_RUNNING && !has_port(self)) {
        g_message("session %s: track %s is not forwarded any more", session_id(self->session),
                  self->track);
        self->state = FORWARD_WAITING;
        stop_if_known(self);
    }
    if (self->state != FORWARD_WAITING || !has_port(self) || !janus_client_is_up(self->client))
        return;
    self->state = FORWARD_CLEARING;
    self->n_refs++;
    janus_client_ask(self->client, janus_room_request(self->room, "listforwarders"), on_listed,
                     self);
}

bool
janus_forward_check(JanusForward *self, const json_t *listed, int64_t asked_us)
{
    if (self->state == FORWARD_WAITING && self->port != 0 && !has_port(self))
        janus_listing_walk(listed, stop_stranger, self);
    return self->state != FORWARD_RUNNING || self->running_since_us > asked_us ||
           janus_listing_contains(listed, self->publisher, self->stream_id);
}

json_t *
janus_forward_to_json(const JanusForward *self)
{
    static const char *const texts[] = {
        [FORWARD_ADDING] = "starting",   [FORWARD_WAITING] = "waiting",
        [FORWARD_CLEARING] = "starting", [FORWARD_ASKING] = "starting",
        [FORWARD_RUNNING] = "forwarded", [FORWARD_IMPOSSIBLE] = "not-forwarded",
    };

    return json_pack("{s:s*, s:s, s:s, s:s*}", "track", self->track, "kind",
                     janus_stream_kind(self->stream), "state", texts[self->state], "problem",
                     self->problem);
}

void
janus_forward_end(JanusForward *self)
{
    stop_if_known(self);
    self->is_over = true;
    if (self->track != NULL)
        session_end_track(self->session, self->track);
    unref(self);
}
