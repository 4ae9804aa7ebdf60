#include "agent/recorder/janus_publishers.h"

#include "agent/recorder/janus_stream.h"
#include "agent/recorder/session_tracks.h"
#include "crypto/age_context.h"

#include <string.h>

/* More than any call has; a bound for what a Janus that lies may make of us. */
#define MAX_PUBLISHERS 256
#define MAX_STREAMS    16

struct JanusPublishers {
    JanusRoom *room;
    GPtrArray *list; /* Publisher */
};

typedef struct {
    json_t *id;
    char *display; /* may be a person's name: compared, and told to nobody */
    json_t *streams;
    char *participant;   /* of the session; NULL: nobody named them */
    GPtrArray *forwards; /* JanusForward */
} Publisher;

static void
on_forward_free(gpointer forward)
{
    janus_forward_end(forward);
}

static void
publisher_free(gpointer data)
{
    Publisher *self = data;

    g_ptr_array_unref(self->forwards);
    json_decref(self->id);
    json_decref(self->streams);
    g_free(self->display);
    g_free(self->participant);
    g_free(self);
}

JanusPublishers *
janus_publishers_new(JanusRoom *room)
{
    JanusPublishers *self = g_new0(JanusPublishers, 1);

    self->room = room;
    self->list = g_ptr_array_new_with_free_func(publisher_free);
    return self;
}

static Publisher *
find(const JanusPublishers *self, const json_t *id)
{
    for (guint i = 0; i < self->list->len; i++) {
        Publisher *publisher = g_ptr_array_index(self->list, i);

        if (json_equal(publisher->id, id))
            return publisher;
    }
    return NULL;
}

static const json_t *
find_stream(const Publisher *publisher, const JanusForward *forward)
{
    const size_t n = MIN(json_array_size(publisher->streams), MAX_STREAMS);

    for (size_t i = 0; i < n; i++) {
        const json_t *stream = json_array_get(publisher->streams, i);

        if (janus_stream_is_active(stream) && janus_forward_is_of(forward, stream))
            return stream;
    }
    return NULL;
}

static bool
has_forward(const Publisher *publisher, const json_t *stream)
{
    for (guint i = 0; i < publisher->forwards->len; i++) {
        if (janus_forward_is_of(g_ptr_array_index(publisher->forwards, i), stream))
            return true;
    }
    return false;
}

/* Returns: whom of the session's participants it is, owned; NULL: none of them. */
static char *
participant_of(const JanusPublishers *self, const Publisher *publisher)
{
    g_autofree char *id =
        json_is_integer(publisher->id)
            ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(publisher->id))
            : g_strdup(json_string_value(publisher->id));

    if (publisher->display != NULL && age_context_id_is_valid(publisher->display) &&
        session_has_participant(self->room->session, publisher->display))
        return g_strdup(publisher->display);
    if (age_context_id_is_valid(id) && session_has_participant(self->room->session, id))
        return g_steal_pointer(&id);
    return NULL;
}

/* Ends what is not published any more, or not of a participant; begins what is new. */
static void
update_publisher(const JanusPublishers *self, Publisher *publisher)
{
    const size_t n = MIN(json_array_size(publisher->streams), MAX_STREAMS);
    g_autofree char *participant = participant_of(self, publisher);

    for (guint i = publisher->forwards->len; i > 0; i--) {
        const JanusForward *forward = g_ptr_array_index(publisher->forwards, i - 1);

        if (g_strcmp0(participant, publisher->participant) != 0 ||
            find_stream(publisher, forward) == NULL)
            g_ptr_array_remove_index(publisher->forwards, i - 1);
    }
    g_free(publisher->participant);
    publisher->participant = g_strdup(participant);
    for (size_t i = 0; i < n && participant != NULL; i++) {
        const json_t *stream = json_array_get(publisher->streams, i);

        if (janus_stream_is_active(stream) && !has_forward(publisher, stream)) {
            g_ptr_array_add(publisher->forwards,
                            janus_forward_new(self->room, publisher->id, participant, stream));
        }
    }
    for (guint i = 0; i < publisher->forwards->len; i++)
        janus_forward_update(g_ptr_array_index(publisher->forwards, i));
}

/* Returns: false if `form` is no publisher. */
static bool
take_one(JanusPublishers *self, const json_t *form)
{
    json_t *id = json_object_get(form, "id");
    json_t *streams = json_object_get(form, "streams");
    Publisher *publisher = NULL;

    if ((!json_is_integer(id) && !json_is_string(id)) || !json_is_array(streams))
        return false;
    publisher = find(self, id);
    if (publisher == NULL && self->list->len >= MAX_PUBLISHERS)
        return false;
    if (publisher == NULL) {
        publisher = g_new0(Publisher, 1);
        publisher->id = json_incref(id);
        publisher->forwards = g_ptr_array_new_with_free_func(on_forward_free);
        g_ptr_array_add(self->list, publisher);
    }
    g_free(publisher->display);
    publisher->display = g_strdup(json_string_value(json_object_get(form, "display")));
    json_decref(publisher->streams);
    publisher->streams = json_incref(streams);
    return true;
}

static bool
is_listed(const json_t *list, const json_t *id)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_equal(json_object_get(json_array_get(list, i), "id"), id))
            return true;
    }
    return false;
}

bool
janus_publishers_take(JanusPublishers *self, const json_t *list, bool is_all)
{
    bool is_sane = json_is_array(list);

    for (guint i = self->list->len; i > 0 && is_all && is_sane; i--) {
        const Publisher *publisher = g_ptr_array_index(self->list, i - 1);

        if (!is_listed(list, publisher->id))
            g_ptr_array_remove_index(self->list, i - 1);
    }
    for (size_t i = 0; i < json_array_size(list); i++)
        is_sane = take_one(self, json_array_get(list, i)) && is_sane;
    return is_sane;
}

void
janus_publishers_remove(JanusPublishers *self, const json_t *id)
{
    Publisher *publisher = find(self, id);

    if (publisher != NULL)
        (void) g_ptr_array_remove(self->list, publisher); /* frees it */
}

void
janus_publishers_update(JanusPublishers *self)
{
    for (guint i = 0; i < self->list->len; i++)
        update_publisher(self, g_ptr_array_index(self->list, i));
}

void
janus_publishers_check(JanusPublishers *self, const json_t *listed, int64_t asked_us)
{
    for (guint i = 0; i < self->list->len; i++) {
        const Publisher *publisher = g_ptr_array_index(self->list, i);

        for (guint k = publisher->forwards->len; k > 0; k--) {
            JanusForward *forward = g_ptr_array_index(publisher->forwards, k - 1);

            if (!janus_forward_check(forward, listed, asked_us))
                g_ptr_array_remove_index(publisher->forwards, k - 1);
        }
    }
    janus_publishers_update(self);
}

void
janus_publishers_clear(JanusPublishers *self)
{
    g_ptr_array_set_size(self->list, 0);
}

json_t *
janus_publishers_to_json(const JanusPublishers *self)
{
    json_t *list = json_array();

    for (guint i = 0; i < self->list->len; i++) {
        const Publisher *publisher = g_ptr_array_index(self->list, i);
        json_t *forwards = json_array();

        for (guint k = 0; k < publisher->forwards->len; k++) {
            json_array_append_new(forwards,
                                  janus_forward_to_json(g_ptr_array_index(publisher->forwards, k)));
        }
        json_array_append_new(list,
                              json_pack("{s:O, s:s*, s:s*, s:o}", "id", publisher->id,
                                        "participant", publisher->participant, "problem",
                                        publisher->participant == NULL ? "not-in-session" : NULL,
                                        "streams", forwards));
    }
    return list;
}

void
janus_publishers_free(JanusPublishers *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->list);
    g_free(self);
}
