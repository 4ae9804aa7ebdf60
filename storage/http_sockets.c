#include "storage/http_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

struct HttpSockets {
    GArray *open; /* curl_socket_t */
};

HttpSockets *
http_sockets_new(void)
{
    HttpSockets *self = g_new0(HttpSockets, 1);

    self->open = g_array_new(FALSE, FALSE, sizeof(curl_socket_t));
    return self;
}

static curl_socket_t
on_open(void *user_data, curlsocktype purpose, struct curl_sockaddr *address)
{
    HttpSockets *self = user_data;
    const curl_socket_t socket_fd =
        socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    if (socket_fd != CURL_SOCKET_BAD)
        g_array_append_val(self->open, socket_fd);
    return socket_fd;
}

static int
on_close(void *user_data, curl_socket_t socket_fd)
{
    HttpSockets *self = user_data;

    for (guint i = 0; i < self->open->len; i++) {
        if (g_array_index(self->open, curl_socket_t, i) == socket_fd) {
            g_array_remove_index_fast(self->open, i);
            break;
        }
    }
    return close(socket_fd);
}

void
http_sockets_watch(HttpSockets *self, CURL *easy)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);

    g_assert(code == CURLE_OK);
    code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, self);
    g_assert(code == CURLE_OK);
    code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    g_assert(code == CURLE_OK);
    code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, self);
    g_assert(code == CURLE_OK);
}

void
http_sockets_acknowledge(const HttpSockets *self)
{
    const int yes = 1;

    for (guint i = 0; i < self->open->len; i++) {
        /* What fails, as for one of a proxy's that is no TCP, costs time alone. */
        (void) setsockopt(g_array_index(self->open, curl_socket_t, i), IPPROTO_TCP, TCP_QUICKACK,
                          &yes, sizeof(yes));
    }
}

void
http_sockets_free(HttpSockets *self)
{
    g_assert(self->open->len == 0);
    g_array_unref(self->open);
    g_free(self);
}
