#include "storage/http_client.h"

#include "storage/http_transfer.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/* A caller puts its transfer into `waiting`, wakes the thread and sleeps on `changed` until the
 * transfer is marked done. libcurl's handles are touched by the thread alone, once they wait. */
enum { POLL_MS = 1000, HELD_MS = 20 };

struct HttpClient {
    HttpClientOptions options;
    CURLM *multi;
    GThread *thread;
    GHashTable *under_way; /* HttpTransfer, the thread's own */
    SendRate rate;         /* the thread's own as well, and the next */
    HttpSockets *sockets;
    GMutex lock;
    GCond changed;
    struct {
        GQueue waiting; /* HttpTransfer, borrowed from callers that sleep */
        bool is_ending;
    } locked;
};

static void
start_libcurl(void)
{
    static gsize is_started = 0;

    if (g_once_init_enter(&is_started)) {
        const CURLcode code = curl_global_init(CURL_GLOBAL_ALL);

        g_assert(code == CURLE_OK);
        g_once_init_leave(&is_started, 1);
    }
}

static void
mark_done(HttpClient *self, HttpTransfer *transfer)
{
    g_mutex_lock(&self->lock);
    transfer->is_done = true;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
}

/* Returns: false once the client ends. */
static bool
add_waiting(HttpClient *self)
{
    bool goes_on = true;

    g_mutex_lock(&self->lock);
    for (;;) {
        HttpTransfer *transfer = g_queue_pop_head(&self->locked.waiting);
        CURLMcode code = CURLM_OK;

        if (transfer == NULL)
            break;
        code = curl_multi_add_handle(self->multi, transfer->easy);
        g_assert(code == CURLM_OK);
        g_hash_table_add(self->under_way, transfer);
    }
    goes_on = !self->locked.is_ending;
    g_mutex_unlock(&self->lock);
    return goes_on;
}

static void
finish_ended(HttpClient *self)
{
    CURLMsg *message = NULL;
    int n_left = 0;

    while ((message = curl_multi_info_read(self->multi, &n_left)) != NULL) {
        const CURLcode code = message->data.result; /* gone once the handle is removed */
        HttpTransfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        g_assert(transfer != NULL && g_hash_table_remove(self->under_way, transfer));
        (void) curl_multi_remove_handle(self->multi, transfer->easy);
        http_transfer_finish(transfer, code);
        mark_done(self, transfer);
    }
}

/* Writing to a connection that the peer has closed must not end the program; libcurl leaves signals
 * to us. */
static void
block_broken_pipes(void)
{
    sigset_t signals;
    int failed = 0;

    (void) sigemptyset(&signals);
    (void) sigaddset(&signals, SIGPIPE); /* both fail for no signal that exists */
    failed = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    g_assert(failed == 0);
}

/* What the rate has held may go on, as far as it allows by now. */
static void
release_held(HttpClient *self)
{
    GHashTableIter iter;
    gpointer transfer = NULL;

    g_hash_table_iter_init(&iter, self->under_way);
    while (g_hash_table_iter_next(&iter, &transfer, NULL))
        http_transfer_go_on(transfer);
}

static int
poll_ms(HttpClient *self)
{
    GHashTableIter iter;
    gpointer transfer = NULL;

    g_hash_table_iter_init(&iter, self->under_way);
    while (g_hash_table_iter_next(&iter, &transfer, NULL)) {
        if (((const HttpTransfer *) transfer)->is_held)
            return HELD_MS;
    }
    return POLL_MS;
}

static gpointer
run(gpointer user_data)
{
    HttpClient *self = user_data;

    block_broken_pipes();
    while (add_waiting(self)) {
        int n_running = 0;
        CURLMcode code = CURLM_OK;

        release_held(self);
        code = curl_multi_perform(self->multi, &n_running);
        g_assert(code == CURLM_OK);
        finish_ended(self);
        /* Woken early: look again. */
        (void) curl_multi_poll(self->multi, NULL, 0, poll_ms(self), NULL);
    }
    return NULL;
}

HttpClient *
http_client_new(const HttpClientOptions *options)
{
    HttpClient *self = g_new0(HttpClient, 1);
    const unsigned n = options->max_connections == 0 ? 8 : options->max_connections;

    start_libcurl();
    self->options.ca_file = g_strdup(options->ca_file);
    self->options.pins = g_strdup(options->pins);
    self->options.proxy = g_strdup(options->proxy);
    self->options.max_connections = n;
    send_rate_init(&self->rate, options->max_bytes_per_s);
    self->sockets = http_sockets_new();
    self->multi = curl_multi_init();
    g_assert(self->multi != NULL);
    (void) curl_multi_setopt(self->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long) n);
    (void) curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long) n);
    self->under_way = g_hash_table_new(NULL, NULL);
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    g_queue_init(&self->locked.waiting);
    self->thread = g_thread_new("http", run, self);
    return self;
}

HttpResponse *
http_client_send(HttpClient *self, const HttpRequest *request, GError **error)
{
    HttpTransfer transfer;

    http_transfer_prepare(&transfer, &self->options, &self->rate, self->sockets, request);
    g_mutex_lock(&self->lock);
    g_assert(!self->locked.is_ending);
    g_queue_push_tail(&self->locked.waiting, &transfer);
    (void) curl_multi_wakeup(self->multi); /* fails only where a poll would have ended anyhow */
    while (!transfer.is_done)
        g_cond_wait(&self->changed, &self->lock);
    g_mutex_unlock(&self->lock);
    if (transfer.error != NULL)
        g_propagate_error(error, transfer.error);
    return transfer.response;
}

const char *
http_response_header(const HttpResponse *self, const char *name)
{
    return g_hash_table_lookup(self->headers, name);
}

char *
http_response_bare_tag(const HttpResponse *self)
{
    const char *tag = http_response_header(self, "etag");
    const size_t length = tag != NULL ? strlen(tag) : 0;

    return length > 2 && tag[0] == '"' && tag[length - 1] == '"' ? g_strndup(tag + 1, length - 2)
                                                                 : g_strdup(tag);
}

void
http_response_free(HttpResponse *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->headers);
    g_clear_pointer(&self->body, g_bytes_unref);
    g_free(self);
}

void
http_client_free(HttpClient *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->lock);
    self->locked.is_ending = true;
    (void) curl_multi_wakeup(self->multi);
    g_mutex_unlock(&self->lock);
    (void) g_thread_join(self->thread);
    g_assert(g_hash_table_size(self->under_way) == 0);
    g_hash_table_unref(self->under_way);
    (void) curl_multi_cleanup(self->multi); /* closes what is open */
    http_sockets_free(self->sockets);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free((char *) self->options.ca_file);
    g_free((char *) self->options.pins);
    g_free((char *) self->options.proxy);
    g_free(self);
}
