#include "agent/recorder/janus_wire.h"

#include <string.h>

#define MAX_BYTES ((size_t) 1 << 20)
#define POST_MS   5000
#define POLL_MS   45000 /* Janus answers after 30 s at the latest */

G_DEFINE_QUARK(sealtape_janus_error, janus_error)

struct JanusWire {
    char *url, *api_secret;
    HttpFetch *http;
};

JanusWire *
janus_wire_new(const char *url, const char *ca_path, const char *api_secret, GError **error)
{
    HttpFetch *http = http_fetch_new(MAX_BYTES, ca_path, error);
    JanusWire *self = NULL;

    if (http == NULL) {
        g_prefix_error(error, "janus.ca_file: ");
        return NULL;
    }
    self = g_new0(JanusWire, 1);
    self->url = g_strdup(url);
    self->api_secret = g_strdup(api_secret);
    self->http = http;
    return self;
}

void
janus_wire_post(JanusWire *self, const char *path, json_t *message, HttpFetchFunc on_reply,
                void *user_data)
{
    g_autofree char *url = g_strconcat(self->url, path, NULL);

    if (self->api_secret != NULL)
        json_object_set_new(message, "apisecret", json_string(self->api_secret));
    http_fetch_send(self->http, &(HttpFetchRequest){
                                    .url = url,
                                    .body = message,
                                    .timeout_ms = POST_MS,
                                    .on_reply = on_reply,
                                    .user_data = user_data,
                                });
    json_decref(message);
}

void
janus_wire_poll(JanusWire *self, json_int_t session, HttpFetchFunc on_reply, void *user_data)
{
    g_autofree char *secret =
        self->api_secret != NULL ? g_uri_escape_string(self->api_secret, NULL, FALSE) : NULL;
    g_autofree char *url =
        g_strdup_printf("%s/%" JSON_INTEGER_FORMAT "?maxev=10%s%s", self->url, session,
                        secret != NULL ? "&apisecret=" : "", secret != NULL ? secret : "");

    http_fetch_send(self->http, &(HttpFetchRequest){
                                    .url = url,
                                    .timeout_ms = POLL_MS,
                                    .on_reply = on_reply,
                                    .user_data = user_data,
                                });
}

static GError *
refusal(int code, const char *reason)
{
    return g_error_new(JANUS_ERROR, code, "Janus refused: %s (%d)",
                       reason != NULL ? reason : "without a reason", code);
}

static GError *
nonsense(const char *what)
{
    return g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Janus talks nonsense: %s", what);
}

GError *
janus_wire_refusal(const json_t *data)
{
    const json_t *code = json_object_get(data, "error_code");
    const json_t *reason = json_object_get(data, "error");

    if (!json_is_object(data))
        return nonsense("an answer without data of the plugin");
    if (code == NULL && reason == NULL)
        return NULL;
    return refusal((int) json_integer_value(code), json_string_value(reason));
}

GError *
janus_wire_fault(const json_t *reply, const char *transaction)
{
    const char *kind = json_string_value(json_object_get(reply, "janus"));
    const char *answered = json_string_value(json_object_get(reply, "transaction"));

    if (kind == NULL)
        return nonsense("an answer without \"janus\"");
    if (strcmp(kind, "error") == 0) {
        const json_t *error = json_object_get(reply, "error");

        return refusal((int) json_integer_value(json_object_get(error, "code")),
                       json_string_value(json_object_get(error, "reason")));
    }
    if (g_strcmp0(answered, transaction) != 0)
        return nonsense("an answer to a transaction nobody began");
    if (strcmp(kind, "success") != 0 && strcmp(kind, "ack") != 0)
        return nonsense("neither success nor an error");
    return NULL;
}

bool
janus_wire_is_acknowledgement(const json_t *reply)
{
    return g_strcmp0(json_string_value(json_object_get(reply, "janus")), "ack") == 0;
}

void
janus_wire_free(JanusWire *self)
{
    if (self == NULL)
        return;
    http_fetch_free(self->http);
    g_free(self->url);
    g_free(self->api_secret);
    g_free(self);
}
