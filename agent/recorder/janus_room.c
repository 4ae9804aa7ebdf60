#include "agent/recorder/janus_room.h"

#include "agent/service/http_fetch.h"
#include "config/key_file.h"

/* Whoever lists the room sees the recorder under this name. */
#define DISPLAY "sealtape"

/* Sets `text` to that of the file, owned; NULL where there is none. */
static bool
read_secret(const char *path, char **text, GError **error)
{
    g_autoptr(Secret) secret = NULL;

    g_clear_pointer(text, g_free);
    if (path == NULL)
        return true;
    secret = key_file_read(path, error);
    if (secret == NULL)
        return false;
    *text = g_strchomp(g_strndup((const char *) secret_peek(secret), secret_length(secret)));
    return true;
}

bool
janus_room_connect(JanusRoom *self, const JanusSettings *settings,
                   const JanusClientOptions *callbacks, GError **error)
{
    JanusClientOptions options = *callbacks;
    g_autofree char *api_secret = NULL;

    if (!http_fetch_url_is_valid(settings->url)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "janus.url is not one that can be asked");
        return false;
    }
    if (!read_secret(settings->api_secret_path, &api_secret, error) ||
        !read_secret(settings->room_secret_path, &self->secret, error) ||
        !read_secret(settings->room_pin_path, &self->pin, error) ||
        !read_secret(settings->admin_key_path, &self->admin_key, error))
        return false;
    options.url = settings->url;
    options.ca_path = settings->ca_path;
    options.api_secret = api_secret;
    self->client = janus_client_new(&options);
    return true;
}

json_t *
janus_room_request(const JanusRoom *self, const char *name)
{
    return json_pack("{s:s, s:O, s:s*, s:s*}", "request", name, "room", self->id, "secret",
                     self->secret, "admin_key", self->admin_key);
}

json_t *
janus_room_join(const JanusRoom *self)
{
    return json_pack("{s:s, s:s, s:O, s:s, s:s*}", "request", "join", "ptype", "publisher", "room",
                     self->id, "display", DISPLAY, "pin", self->pin);
}

void
janus_room_clear(JanusRoom *self)
{
    g_clear_pointer(&self->client, janus_client_free);
    json_decref(self->id);
    g_free(self->secret);
    g_free(self->pin);
    g_free(self->admin_key);
}
