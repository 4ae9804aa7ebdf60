#include "storage/http_transfer.h"

#include "storage/storage_error.h"

#include <string.h>

enum {
    MAX_HEADER_BYTES = 64 << 10,
    CONNECT_TIMEOUT_MS = 10000,
    /* Slower than this for so long is as good as dead. */
    LOW_SPEED_BYTES = 256,
    LOW_SPEED_S = 20,
    /* Servers drop idle connections after 5 s and more; a dead one costs a retry. */
    MAX_IDLE_S = 15,
    UPLOAD_BUFFER_BYTES = 256 << 10,
};

/* An option that libcurl does not take is a mistake of ours or of how it was built. */
#define SET(easy, option, value) insist(curl_easy_setopt(easy, option, value))

static void
insist(CURLcode code)
{
    g_assert(code == CURLE_OK);
}

static size_t
body_length(const HttpTransfer *self)
{
    return self->request->body == NULL ? 0 : g_bytes_get_size(self->request->body);
}

static size_t
on_read(char *buffer, size_t size, size_t n_items, void *user_data)
{
    HttpTransfer *self = user_data;
    const char *body = g_bytes_get_data(self->request->body, NULL);
    size_t n_bytes = MIN(size * n_items, body_length(self) - self->n_sent);

    if (n_bytes > 0) {
        n_bytes = send_rate_take(self->rate, n_bytes, g_get_monotonic_time());
        self->is_held = n_bytes == 0;
        if (self->is_held)
            return CURL_READFUNC_PAUSE;
        memcpy(buffer, body + self->n_sent, n_bytes);
    }
    self->n_sent += n_bytes;
    return n_bytes;
}

/* A kept connection turned out to be dead: libcurl starts over on a new one. */
static int
on_seek(void *user_data, curl_off_t offset, int origin)
{
    HttpTransfer *self = user_data;

    if (origin != SEEK_SET || offset < 0 || (size_t) offset > body_length(self))
        return CURL_SEEKFUNC_FAIL;
    self->n_sent = (size_t) offset;
    return CURL_SEEKFUNC_OK;
}

static size_t
on_write(char *bytes, size_t size, size_t n_items, void *user_data)
{
    HttpTransfer *self = user_data;
    const size_t n_bytes = size * n_items;

    if (self->answer->len + n_bytes > self->request->max_response_bytes) {
        self->is_too_long = true;
        return 0; /* ends the transfer */
    }
    g_byte_array_append(self->answer, (const guint8 *) bytes, (guint) n_bytes);
    return n_bytes;
}

/* A final answer came before the body had gone out: what is left of it must not be taken for the
 * next request (libcurl 7.88 would use the connection again after a late 417). */
static void
note_status_line(HttpTransfer *self, const char *line)
{
    const bool is_interim = g_str_has_prefix(line, "HTTP/1.1 1");

    g_hash_table_remove_all(self->response->headers);
    if (!is_interim && self->n_sent < body_length(self))
        SET(self->easy, CURLOPT_FORBID_REUSE, 1L);
}

static size_t
on_header(char *bytes, size_t size, size_t n_items, void *user_data)
{
    HttpTransfer *self = user_data;
    const size_t n_bytes = size * n_items;
    g_autofree char *line = g_strndup(bytes, n_bytes);
    char *colon = strchr(line, ':');

    self->n_header_bytes += n_bytes;
    if (self->n_header_bytes > MAX_HEADER_BYTES) {
        self->is_too_long = true;
        return 0;
    }
    if (g_str_has_prefix(line, "HTTP/")) {
        note_status_line(self, line);
        http_sockets_acknowledge(self->sockets);
    } else if (colon != NULL) {
        *colon = '\0';
        g_hash_table_replace(self->response->headers, g_ascii_strdown(line, -1),
                             g_strdup(g_strstrip(colon + 1)));
    }
    return n_bytes;
}

static void
set_up_tls(CURL *easy, const HttpClientOptions *options)
{
    SET(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
    SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (options->ca_file != NULL) {
        SET(easy, CURLOPT_CAINFO, options->ca_file);
        SET(easy, CURLOPT_CAPATH, NULL);
    }
    if (options->pins != NULL)
        SET(easy, CURLOPT_PINNEDPUBLICKEY, options->pins);
}

/* A line that we slow down ourselves is no slow store. */
static long
timeout_of(const HttpTransfer *self, const HttpClientOptions *options)
{
    const int64_t delay_ms =
        send_rate_delay_ms(self->rate, body_length(self), options->max_connections);

    return (long) MIN(G_MAXINT, self->request->timeout_ms + delay_ms);
}

static void
set_up_connection(HttpTransfer *self, const HttpClientOptions *options, const HttpRequest *request)
{
    CURL *easy = self->easy;

    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L); /* another place needs another signature */
    SET(easy, CURLOPT_PROXY, options->proxy == NULL ? "" : options->proxy);
    SET(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(easy, CURLOPT_MAXAGE_CONN, (long) MAX_IDLE_S);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) MIN(request->timeout_ms, CONNECT_TIMEOUT_MS));
    SET(easy, CURLOPT_TIMEOUT_MS, timeout_of(self, options));
    SET(easy, CURLOPT_LOW_SPEED_LIMIT, (long) LOW_SPEED_BYTES);
    SET(easy, CURLOPT_LOW_SPEED_TIME, (long) LOW_SPEED_S);
}

static void
set_up_request(HttpTransfer *self, const HttpRequest *request)
{
    SET(self->easy, CURLOPT_URL, request->url);
    SET(self->easy, CURLOPT_PATH_AS_IS, 1L);
    if (strcmp(request->method, "HEAD") == 0)
        SET(self->easy, CURLOPT_NOBODY, 1L);
    if (request->body != NULL) {
        SET(self->easy, CURLOPT_UPLOAD, 1L);
        SET(self->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long) UPLOAD_BUFFER_BYTES);
        SET(self->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) body_length(self));
        SET(self->easy, CURLOPT_READFUNCTION, on_read);
        SET(self->easy, CURLOPT_READDATA, self);
        SET(self->easy, CURLOPT_SEEKFUNCTION, on_seek);
        SET(self->easy, CURLOPT_SEEKDATA, self);
    }
    SET(self->easy, CURLOPT_CUSTOMREQUEST, request->method);
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++) {
        self->headers = curl_slist_append(self->headers, request->headers[i]);
        g_assert(self->headers != NULL);
    }
    SET(self->easy, CURLOPT_HTTPHEADER, self->headers);
    SET(self->easy, CURLOPT_USERAGENT, "sealtape/" SEALTAPE_VERSION);
}

void
http_transfer_prepare(HttpTransfer *self, const HttpClientOptions *options, SendRate *rate,
                      HttpSockets *sockets, const HttpRequest *request)
{
    memset(self, 0, sizeof(*self));
    self->request = request;
    self->rate = rate;
    self->sockets = sockets;
    self->easy = curl_easy_init();
    g_assert(self->easy != NULL);
    self->answer = g_byte_array_new();
    self->response = g_new0(HttpResponse, 1);
    self->response->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    set_up_tls(self->easy, options);
    set_up_connection(self, options, request);
    set_up_request(self, request);
    http_sockets_watch(sockets, self->easy);
    SET(self->easy, CURLOPT_HEADERFUNCTION, on_header);
    SET(self->easy, CURLOPT_HEADERDATA, self);
    SET(self->easy, CURLOPT_WRITEFUNCTION, on_write);
    SET(self->easy, CURLOPT_WRITEDATA, self);
    SET(self->easy, CURLOPT_ERRORBUFFER, self->message);
    SET(self->easy, CURLOPT_PRIVATE, self);
}

void
http_transfer_go_on(HttpTransfer *self)
{
    if (!self->is_held)
        return;
    self->is_held = false;
    (void) curl_easy_pause(self->easy, CURLPAUSE_CONT); /* a broken transfer ends by itself */
}

static StorageError
code_of(const HttpTransfer *self, CURLcode code)
{
    if (self->is_too_long)
        return STORAGE_ERROR_CORRUPT;
    switch ((int) code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return STORAGE_ERROR_DENIED;
    case CURLE_WEIRD_SERVER_REPLY:
        return STORAGE_ERROR_CORRUPT;
    default:
        return STORAGE_ERROR_TRANSIENT;
    }
}

/* The query may be long and says nothing that helps. */
static void
fail(HttpTransfer *self, StorageError code, const char *reason)
{
    const int n_url = (int) strcspn(self->request->url, "?");

    g_clear_pointer(&self->response, http_response_free);
    g_set_error(&self->error, STORAGE_ERROR, (int) code, "%s %.*s: %s", self->request->method,
                n_url, self->request->url, reason);
}

void
http_transfer_finish(HttpTransfer *self, CURLcode code)
{
    long status = 0;

    if (code != CURLE_OK) {
        const char *reason = self->message[0] == '\0' ? curl_easy_strerror(code) : self->message;

        fail(self, code_of(self, code), self->is_too_long ? "the answer is too long" : reason);
    } else {
        (void) curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE,
                                 &status); /* 0: refused above */
        self->response->status = (unsigned) status;
        self->response->body = g_byte_array_free_to_bytes(g_steal_pointer(&self->answer));
    }
    g_clear_pointer(&self->easy, curl_easy_cleanup);
    g_clear_pointer(&self->headers, curl_slist_free_all);
    g_clear_pointer(&self->answer, g_byte_array_unref);
}
