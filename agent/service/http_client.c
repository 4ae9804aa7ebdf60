#include "agent/service/http_client.h"

#include <gio/gunixsocketaddress.h>
#include <libsoup/soup.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 30

static GBytes *
body_bytes(const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    g_assert(text != NULL);
    return g_bytes_new_with_free_func(text, strlen(text), free, text);
}

static json_t *
parse_answer(GBytes *answer, GError **error)
{
    json_error_t fault;
    json_t *json = NULL;

    if (g_bytes_get_size(answer) == 0)
        return json_null();
    json = json_loadb(g_bytes_get_data(answer, NULL), g_bytes_get_size(answer),
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (json == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the answer is not JSON: line %d, column %d", fault.line, fault.column);
    }
    return json;
}

/* Sends and waits. Returns: what was answered, owned; NULL sets `error`, which names the socket. */
static GBytes *
send_message(const char *socket_path, SoupMessage *message, unsigned *status, GError **error)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(socket_path);
    g_autoptr(SoupSession) session =
        soup_session_new_with_options("remote-connectable", address, "timeout", TIMEOUT_S, NULL);
    GBytes *answer = soup_session_send_and_read(session, message, NULL, error);

    if (answer == NULL) {
        g_prefix_error(error, "%s: ", socket_path);
        return NULL;
    }
    *status = soup_message_get_status(message);
    return answer;
}

json_t *
http_client_request(const char *socket_path, const char *request, const json_t *body,
                    unsigned *status, GError **error)
{
    g_auto(GStrv) words = g_strsplit(request, " ", 2);
    g_autofree char *url = g_strconcat("http://localhost", words[1], NULL);
    g_autoptr(SoupMessage) message = soup_message_new(words[0], url);
    g_autoptr(GBytes) answer = NULL;

    g_assert(message != NULL);
    if (body != NULL) {
        g_autoptr(GBytes) bytes = body_bytes(body);

        soup_message_set_request_body_from_bytes(message, "application/json", bytes);
    }
    answer = send_message(socket_path, message, status, error);
    return answer != NULL ? parse_answer(answer, error) : NULL;
}

char *
http_client_get_text(const char *socket_path, const char *path, unsigned *status, GError **error)
{
    g_autofree char *url = g_strconcat("http://localhost", path, NULL);
    g_autoptr(SoupMessage) message = soup_message_new("GET", url);
    g_autoptr(GBytes) answer = NULL;

    g_assert(message != NULL);
    answer = send_message(socket_path, message, status, error);
    return answer != NULL ? g_strndup(g_bytes_get_data(answer, NULL), g_bytes_get_size(answer))
                          : NULL;
}
