#include "agent/recorder/session_events.h"

#include "agent/service/event_stream.h"

typedef struct {
    EventStream *stream;
    Session *session;
    unsigned watch;
} Reader;

static void
on_reader_gone(void *user_data)
{
    Reader *self = user_data;

    session_unwatch(self->session, self->watch);
    g_free(self);
}

/* Returns: whether the stream goes on. */
static bool
send_state(Reader *self, const Session *session)
{
    json_t *form = session_to_json(session);

    event_stream_send(self->stream, "state", form);
    json_decref(form);
    return !session_has_ended(session);
}

static void
on_change(const Session *session, void *user_data)
{
    Reader *self = user_data;

    if (send_state(self, session))
        return;
    event_stream_close(self->stream);
    on_reader_gone(self);
}

void
session_events_stream(Session *session, HttpRequest *request)
{
    Reader *self = g_new0(Reader, 1);

    self->session = session;
    self->stream = event_stream_new(request, on_reader_gone, self);
    if (send_state(self, session)) {
        self->watch = session_watch(session, on_change, self);
    } else {
        event_stream_close(self->stream);
        g_free(self);
    }
}
