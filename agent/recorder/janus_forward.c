#include "agent/recorder/janus_forward.h"

#include "agent/recorder/session_tracks.h"

#include <string.h>

/* A participant who comes and goes gets a new track each time, up to this many of a kind. */
#define MAX_TRACKS_OF_KIND 64

/* What becomes of it, in this order; a lost connection or a refusal leads back to WAITING. */
typedef enum {
    FORWARD_ADDING,   /* its track is being added */
    FORWARD_WAITING,  /* for a port, or for Janus */
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
    json_t *publisher, *mid;
    char *kind, *codec, *problem;
    bool is_simulcast;
    bool is_over; /* its owner has let go */
    uint16_t port;
    json_t *stream_id;
    int64_t running_since_us;
};

/* What Janus may say, and what we let it make of the payload type. */
static const struct {
    const char *codec, *kind;
    int payload_type, clock_rate, channels;
} codecs[] = {
    {"opus", "audio", 111, 48000, 2},
    {"pcmu", "audio", 0,   8000,  1},
    {"pcma", "audio", 8,   8000,  1},
    {"g722", "audio", 9,   8000,  1},
    {"vp8",  "video", 96,  90000, 1},
    {"vp9",  "video", 96,  90000, 1},
    {"h264", "video", 96,  90000, 1},
};

static void ask_to_forward(JanusForward *self);

static void
unref(JanusForward *self)
{
    if (--self->n_refs > 0)
        return;
    g_free(self->track);
    json_decref(self->publisher);
    json_decref(self->mid);
    json_decref(self->stream_id);
    g_free(self->kind);
    g_free(self->codec);
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

json_t *
janus_room_request(const JanusRoom *room, const char *name)
{
    return json_pack("{s:s, s:O, s:s*, s:s*}", "request", name, "room", room->id, "secret",
                     room->secret, "admin_key", room->admin_key);
}

static int
find_codec(const char *codec, const char *kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
        if (g_ascii_strcasecmp(codecs[i].codec, codec) == 0 && strcmp(codecs[i].kind, kind) == 0)
            return (int) i;
    }
    return -1;
}

/* Returns: an id that the session does not have yet, owned; NULL: there were too many. */
static char *
free_track_id(const JanusForward *self, const char *participant)
{
    for (unsigned n = 1; n <= MAX_TRACKS_OF_KIND; n++) {
        g_autofree char *id = n == 1 ? g_strdup_printf("%s-%s", participant, self->kind)
                                     : g_strdup_printf("%s-%s-%u", participant, self->kind, n);

        if (!session_has_track(self->session, id))
            return g_steal_pointer(&id);
    }
    return NULL;
}

/* Returns: the track's request; NULL sets `fault`, owned. */
static TrackRequest *
track_request(JanusForward *self, const char *participant, char **fault)
{
    const int row = find_codec(self->codec, self->kind);
    json_t *form = NULL;
    TrackRequest *request = NULL;

    if (row < 0) {
        *fault = g_strdup_printf("the codec %s can not be recorded", self->codec);
        return NULL;
    }
    self->track = free_track_id(self, participant);
    if (self->track == NULL) {
        *fault = g_strdup("this participant came back too often");
        return NULL;
    }
    form = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i}", "id", self->track, "participant",
                     participant, "kind", self->kind, "codec", codecs[row].codec, "payload_type",
                     codecs[row].payload_type, "clock_rate", codecs[row].clock_rate, "channels",
                     codecs[row].channels);
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
    const char *codec = json_string_value(json_object_get(stream, "codec"));
    g_autofree char *fault = NULL;
    TrackRequest *request = NULL;

    self->n_refs = 1;
    self->room = room;
    self->session = room->session;
    self->client = room->client;
    self->publisher = json_incref((json_t *) publisher);
    self->mid = json_incref(json_object_get(stream, "mid"));
    self->kind = g_strdup(json_string_value(json_object_get(stream, "type")));
    self->codec = g_strdup(codec != NULL ? codec : "(not named)");
    self->is_simulcast = json_is_true(json_object_get(stream, "simulcast"));
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
    const char *codec = json_string_value(json_object_get(stream, "codec"));

    return json_equal(self->mid, json_object_get(stream, "mid")) &&
           g_strcmp0(self->kind, json_string_value(json_object_get(stream, "type"))) == 0 &&
           g_strcmp0(self->codec, codec != NULL ? codec : "(not named)") == 0;
}

typedef void (*ListedFunc)(const json_t *entry, const json_t *publisher, void *user_data);

/* Calls `each` for every forwarder in what the plugin lists, however deep it nests them; versions
 * of the plugin differ there. */
static void
walk_listed(const json_t *node, const json_t *publisher, ListedFunc each, void *user_data)
{
    /* Bounded: JSON that jansson parses nests at most 2048 deep. */
    const json_t *own = json_object_get(node, "publisher_id");
    const char *name = NULL;
    json_t *member = NULL;

    if (own != NULL)
        publisher = own;
    if (json_object_get(node, "stream_id") != NULL)
        each(node, publisher, user_data);
    json_object_foreach((json_t *) node, name, member)
    {
        for (size_t i = 0; json_is_array(member) && i < json_array_size(member); i++) {
            if (json_is_object(json_array_get(member, i)))
                walk_listed(json_array_get(member, i), publisher, each, user_data);
        }
    }
}

static void
stop_stream(const JanusForward *self, const json_t *publisher, const json_t *stream_id,
            JanusAnswerFunc on_stopped, void *user_data)
{
    json_t *request = janus_room_request(self->room, "stop_rtp_forward");

    json_object_set(request, "publisher_id", (json_t *) publisher);
    json_object_set(request, "stream_id", (json_t *) stream_id);
    janus_client_ask(self->client, request, on_stopped, user_data);
}

static void
on_stopped(const json_t *data, const GError *error, void *user_data)
{
    JanusForward *self = user_data;

    /* A publisher who left took the forward along. */
    if (error != NULL)
        g_debug("session %s: %s", session_id(self->session), error->message);
    unref(self);
}

static void
stop_if_known(JanusForward *self)
{
    if (self->stream_id == NULL)
        return;
    self->n_refs++;
    stop_stream(self, self->publisher, self->stream_id, on_stopped, self);
}

/* One who still sends to our port was left by a recorder that ended in between. */
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
    self->n_refs++;
    stop_stream(self, publisher, json_object_get(entry, "stream_id"), on_stopped, self);
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
    } else {
        walk_listed(data, NULL, stop_stranger, self);
        ask_to_forward(self);
    }
    unref(self);
}

static void
find_own(const json_t *entry, const json_t *publisher, void *user_data)
{
    JanusForward *self = user_data;

    if (json_integer_value(json_object_get(entry, "port")) != self->port)
        return;
    json_decref(self->stream_id);
    self->stream_id = json_incref(json_object_get(entry, "stream_id"));
}

static void
on_forwarded(const json_t *data, const GError *error, void *user_data)
{
    JanusForward *self = user_data;

    if (error == NULL)
        walk_listed(data, NULL, find_own, self);
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
    }
    unref(self);
}

static void
ask_to_forward(JanusForward *self)
{
    const int row = find_codec(self->codec, self->kind);
    json_t *request = janus_room_request(self->room, "rtp_forward");
    json_t *stream = json_pack("{s:O, s:s, s:i, s:i}", "mid", self->mid, "host", self->room->host,
                               "port", self->port, "pt", codecs[row].payload_type);

    if (strcmp(self->kind, "video") == 0)
        json_object_set_new(stream, "rtcp_port", json_integer(self->port + 1));
    if (self->is_simulcast)
        json_object_set_new(stream, "simulcast", json_true());
    json_object_set(request, "publisher_id", self->publisher);
    json_object_set_new(request, "host", json_string(self->room->host));
    json_object_set_new(request, "streams", json_pack("[o]", stream));
    self->state = FORWARD_ASKING;
    self->n_refs++;
    janus_client_ask(self->client, request, on_forwarded, self);
}

void
janus_forward_update(JanusForward *self)
{
    if (self->state != FORWARD_WAITING)
        return;
    self->port = session_track_port(self->session, self->track);
    if (self->port == 0 || !janus_client_is_up(self->client))
        return;
    self->state = FORWARD_CLEARING;
    self->n_refs++;
    janus_client_ask(self->client, janus_room_request(self->room, "listforwarders"), on_listed,
                     self);
}

typedef struct {
    const JanusForward *forward;
    bool is_there;
} Search;

static void
look_for(const json_t *entry, const json_t *publisher, void *user_data)
{
    Search *search = user_data;

    search->is_there = search->is_there || (json_equal(publisher, search->forward->publisher) &&
                                            json_equal(json_object_get(entry, "stream_id"),
                                                       search->forward->stream_id));
}

bool
janus_forward_is_lost(const JanusForward *self, const json_t *listed, int64_t asked_us)
{
    Search search = {self, false};

    if (self->state != FORWARD_RUNNING || self->running_since_us > asked_us)
        return false;
    walk_listed(listed, NULL, look_for, &search);
    return !search.is_there;
}

json_t *
janus_forward_to_json(const JanusForward *self)
{
    static const char *const texts[] = {
        [FORWARD_ADDING] = "starting",   [FORWARD_WAITING] = "waiting",
        [FORWARD_CLEARING] = "starting", [FORWARD_ASKING] = "starting",
        [FORWARD_RUNNING] = "forwarded", [FORWARD_IMPOSSIBLE] = "not-forwarded",
    };

    return json_pack("{s:s*, s:s, s:s, s:s*}", "track", self->track, "kind", self->kind, "state",
                     texts[self->state], "problem", self->problem);
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
