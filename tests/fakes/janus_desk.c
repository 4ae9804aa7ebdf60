#include "tests/fakes/janus_desk.h"

#include <gio/gio.h>

typedef struct {
    json_t *body;
    JanusAnswerFunc on_answer;
    void *user_data;
} Asked;

static GQueue waiting = G_QUEUE_INIT;
static bool is_janus_up;

void __wrap_janus_client_ask(JanusClient *self, json_t *body, JanusAnswerFunc on_answer,
                             void *user_data);
bool __wrap_janus_client_is_up(const JanusClient *self);

void
__wrap_janus_client_ask(JanusClient *self, json_t *body, JanusAnswerFunc on_answer, void *user_data)
{
    Asked *asked = g_new0(Asked, 1);

    *asked = (Asked){body, on_answer, user_data};
    g_queue_push_tail(&waiting, asked);
}

bool
__wrap_janus_client_is_up(const JanusClient *self)
{
    return is_janus_up;
}

void
janus_desk_set_up(bool is_up)
{
    is_janus_up = is_up;
}

unsigned
janus_desk_count(void)
{
    return g_queue_get_length(&waiting);
}

char *
janus_desk_peek(const char *name)
{
    const Asked *oldest = g_queue_peek_head(&waiting);
    const json_t *member = oldest != NULL ? json_object_get(oldest->body, name) : NULL;
    char *text = json_is_string(member) ? g_strdup(json_string_value(member)) : NULL;
    char *dumped = NULL;

    if (member == NULL || text != NULL)
        return text;
    dumped = json_dumps(member, JSON_ENCODE_ANY | JSON_COMPACT);
    text = g_strdup(dumped);
    free(dumped);
    return text;
}

void
janus_desk_answer(const char *data)
{
    Asked *oldest = g_queue_pop_head(&waiting);
    json_t *answer = data != NULL ? json_loads(data, 0, NULL) : NULL;
    g_autoptr(GError) error =
        data == NULL ? g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CLOSED, "Janus is gone") : NULL;

    g_assert_nonnull(oldest);
    oldest->on_answer(answer, error, oldest->user_data);
    json_decref(answer);
    json_decref(oldest->body);
    g_free(oldest);
}
