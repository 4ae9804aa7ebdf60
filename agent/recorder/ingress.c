#include "agent/recorder/ingress.h"

#include "agent/recorder/ingress_rest.h"
#include "agent/recorder/ingress_track.h"
#include "agent/recorder/port_pool.h"
#include "agent/recorder/udp_socket.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    /* A round looks at so many sockets: at all of them, if it can, and at none twice before it
     * rests, for then there would be little in each. */
    MAX_EVENTS = 8192,
};

typedef enum {
    MESSAGE_PAUSE,
    MESSAGE_FINISH,
    MESSAGE_STOP,
} MessageKind;

typedef struct {
    MessageKind kind;
    IngressTrack *track;
    const char *reason; /* interned */
    int64_t until_us;
} Message;

struct Ingress {
    char *address;
    PortPool *ports;
    int epoll_fd;
    int wake_fd;
    GAsyncQueue *messages;
    GThread *thread;
    unsigned n_rounds; /* atomic */
    /* Of the thread. */
    UdpBatch *batch;
    IngressRest rest;
    unsigned n_fullest;  /* packets that one socket held, in this round */
    GHashTable *waiting; /* set of IngressTrack that have a due_us */
    int64_t next_due_us;
    bool is_stopped;
};

static void
wait_or_not(Ingress *self, IngressTrack *track)
{
    if (track->due_us != INT64_MAX) {
        (void) g_hash_table_add(self->waiting, track); /* it may be there already */
    } else if (g_hash_table_size(self->waiting) > 0) {
        (void) g_hash_table_remove(self->waiting, track); /* or not at all */
    }
}

static void
finish_track(Ingress *self, const Message *message)
{
    g_autoptr(IngressTrack) track = message->track;

    ingress_track_close(track, message->until_us, self->batch);
    (void) g_hash_table_remove(self->waiting, track); /* it need not be there */
    port_pool_give_back(self->ports, track->port);
    track->options.on_finished(track->options.user_data);
}

static void
handle_messages(Ingress *self)
{
    uint64_t n_woken = 0;
    Message *message = NULL;

    /* Nothing to read only means that an earlier round took the message already. */
    (void) !read(self->wake_fd, &n_woken, sizeof(n_woken));
    while ((message = g_async_queue_try_pop(self->messages)) != NULL) {
        switch (message->kind) {
        case MESSAGE_PAUSE:
            ingress_track_pause_now(message->track, message->reason, self->batch);
            wait_or_not(self, message->track);
            break;
        case MESSAGE_FINISH:
            finish_track(self, message);
            break;
        case MESSAGE_STOP:
            self->is_stopped = true;
            break;
        }
        g_free(message);
    }
}

/* Gives on what waited long enough, in tracks to which nothing came since. */
static void
expire_waiting(Ingress *self)
{
    const int64_t now_us = g_get_monotonic_time();
    GHashTableIter iter;
    gpointer key = NULL;

    self->next_due_us = INT64_MAX;
    g_hash_table_iter_init(&iter, self->waiting);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        IngressTrack *track = key;

        if (track->due_us <= now_us)
            (void) ingress_track_receive(track, &track->sockets[0], self->batch);
        if (track->due_us == INT64_MAX)
            g_hash_table_iter_remove(&iter);
        self->next_due_us = MIN(self->next_due_us, track->due_us);
    }
}

static int
timeout_ms(int64_t due_us)
{
    if (due_us == INT64_MAX)
        return -1;
    const int64_t left_us = due_us - g_get_monotonic_time();
    return (int) CLAMP((left_us + 999) / 1000, 0, 1000);
}

/* Returns: true if media was there. */
static bool
handle_events(Ingress *self, const struct epoll_event *events, int n_events)
{
    bool has_media = false;

    for (int i = 0; i < n_events; i++) {
        const IngressSocket *socket = events[i].data.ptr;

        if (socket == NULL)
            continue;
        has_media = true;
        const unsigned n_taken = ingress_track_receive(socket->track, socket, self->batch);
        self->n_fullest = MAX(self->n_fullest, n_taken);
        wait_or_not(self, socket->track);
    }
    return has_media;
}

/* So that the next round finds more in every socket. Only a message ends it early. */
static void
rest(Ingress *self)
{
    struct pollfd message = {.fd = self->wake_fd, .events = POLLIN};

    const unsigned rest_ms = ingress_rest_next(&self->rest, self->n_fullest);

    self->n_fullest = 0;
    /* Whatever it says, the next round looks at everything. */
    (void) poll(&message, 1, (int) rest_ms);
}

static gpointer
run(gpointer data)
{
    Ingress *self = data;
    g_autofree struct epoll_event *events = g_new(struct epoll_event, MAX_EVENTS);

    while (!self->is_stopped) {
        g_atomic_int_inc(&self->n_rounds);
        expire_waiting(self);
        const int n_events =
            epoll_wait(self->epoll_fd, events, MAX_EVENTS, timeout_ms(self->next_due_us));

        g_assert(n_events >= 0 || errno == EINTR);
        const bool has_media = handle_events(self, events, n_events);
        /* After the events: a message may free what they point to. */
        handle_messages(self);
        if (has_media && n_events < MAX_EVENTS)
            rest(self);
    }
    return NULL;
}

static void
wake(const Ingress *self)
{
    const uint64_t one = 1;

    /* It only fails when it would overflow, and then the thread is awake. */
    (void) !write(self->wake_fd, &one, sizeof(one));
}

static void
send_message(Ingress *self, const Message *message)
{
    g_async_queue_push(self->messages, g_memdup2(message, sizeof(*message)));
    wake(self);
}

/* `action`: EPOLL_CTL_ADD or _MOD. `events`: 0 watches for nothing yet. */
static bool
watch(Ingress *self, int action, uint32_t events, IngressSocket *socket, GError **error)
{
    struct epoll_event event = {.events = events, .data = {.ptr = socket}};
    const int fd = socket != NULL ? socket->fd : self->wake_fd;
    const int result = epoll_ctl(self->epoll_fd, action, fd, &event);

    if (result == 0)
        return true;
    g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(errno), "cannot watch a socket: %s",
                g_strerror(errno));
    return false;
}

static bool
start(Ingress *self, GError **error)
{
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->epoll_fd < 0 || self->wake_fd < 0) {
        g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(errno),
                    "cannot make descriptors for the ingress: %s", g_strerror(errno));
        return false;
    }
    if (!watch(self, EPOLL_CTL_ADD, EPOLLIN, NULL, error))
        return false;
    self->thread = g_thread_try_new("ingress", run, self, error);
    return self->thread != NULL;
}

Ingress *
ingress_new(const IngressOptions *options, GError **error)
{
    g_autoptr(Ingress) self = g_new0(Ingress, 1);

    self->address = g_strdup(options->address);
    self->ports = port_pool_new(options->first_port, options->last_port);
    self->epoll_fd = self->wake_fd = -1;
    self->messages = g_async_queue_new_full(g_free);
    self->batch = udp_batch_new();
    self->waiting = g_hash_table_new(NULL, NULL);

    /* A wrong address should stop the start, not the first session. */
    const int fd = udp_socket_open(options->address, 0, error);
    if (fd < 0)
        return NULL;
    ingress_rest_init(&self->rest, udp_socket_room(fd));
    (void) close(fd); /* nothing was received or sent */
    if (port_pool_size(self->ports) == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "ports %u to %u hold no even port with its next one", options->first_port,
                    options->last_port);
        return NULL;
    }
    return start(self, error) ? g_steal_pointer(&self) : NULL;
}

/* Returns: a track on a pair of ports that nobody else has. */
static IngressTrack *
open_track(Ingress *self, const IngressTrackOptions *options, GError **error)
{
    for (unsigned i = 0; i < port_pool_size(self->ports); i++) {
        g_autoptr(GError) cause = NULL;
        const uint16_t port = port_pool_take(self->ports);
        if (port == 0)
            break;
        IngressTrack *track = ingress_track_new(self->address, port, options, &cause);
        if (track != NULL)
            return track;
        port_pool_give_back(self->ports, port);
        if (!g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "all %u pairs of RTP ports are taken",
                port_pool_size(self->ports));
    return NULL;
}

IngressTrack *
ingress_add_track(Ingress *self, const IngressTrackOptions *options, GError **error)
{
    IngressTrack *track = open_track(self, options, error);

    if (track == NULL)
        return NULL;
    track->ingress = self;
    IngressSocket *rtp = &track->sockets[0];
    IngressSocket *rtcp = &track->sockets[1];
    /* All that can fail first, for once a socket is watched the track belongs to the thread. */
    if (!watch(self, EPOLL_CTL_ADD, 0, rtcp, error) || !watch(self, EPOLL_CTL_ADD, 0, rtp, error)) {
        port_pool_give_back(self->ports, track->port);
        ingress_track_free(track);
        return NULL;
    }
    const bool is_watched = watch(self, EPOLL_CTL_MOD, EPOLLIN, rtcp, NULL) &&
                            watch(self, EPOLL_CTL_MOD, EPOLLIN, rtp, NULL);
    g_assert(is_watched);
    return track;
}

void
ingress_track_pause(IngressTrack *track, const char *reason)
{
    send_message(track->ingress,
                 &(Message){.kind = MESSAGE_PAUSE,
                            .track = track,
                            .reason = reason != NULL ? g_intern_string(reason) : NULL});
}

void
ingress_track_finish(IngressTrack *track, int64_t until_us)
{
    send_message(track->ingress,
                 &(Message){.kind = MESSAGE_FINISH, .track = track, .until_us = until_us});
}

uint64_t
ingress_ask(void *self)
{
    wake(self);
    return (uint64_t) (unsigned) g_atomic_int_get(&((Ingress *) self)->n_rounds);
}

void
ingress_free(Ingress *self)
{
    if (self == NULL)
        return;
    if (self->thread != NULL) {
        send_message(self, &(Message){.kind = MESSAGE_STOP});
        (void) g_thread_join(self->thread);
    }
    if (self->epoll_fd >= 0)
        (void) close(self->epoll_fd); /* no data behind it */
    if (self->wake_fd >= 0)
        (void) close(self->wake_fd);
    g_hash_table_unref(self->waiting);
    udp_batch_free(self->batch);
    g_async_queue_unref(self->messages);
    port_pool_free(self->ports);
    g_free(self->address);
    g_free(self);
}
