#include "agent/trail/audit_delivery.h"

#include "agent/audit/syslog_message.h"
#include "agent/service/syslog_link.h"
#include "storage/audit_cursor.h"

#include <string.h>

/* A delivery:
 * 1. connect, only if something waits;
 * 2. of each log in turn, frame after frame, what is durable in it;
 * 3. finish: the receiver has read to the end;
 * 4. keep each log's place. A crash between 3 and 4 sends the same once more, never less. */

typedef struct {
    char *org, *origin;
    AuditLog *log; /* NULL: it has `n_records` */
    uint64_t n_records;
    AuditCursor *cursor;
    bool is_unreadable; /* told once */
} Log;

struct AuditDelivery {
    const SyslogSettings *receiver;
    GPtrArray *logs; /* Log */
};

static void
log_free(gpointer data)
{
    Log *self = data;

    audit_cursor_free(self->cursor);
    g_free(self->org);
    g_free(self->origin);
    g_free(self);
}

AuditDelivery *
audit_delivery_new(const SyslogSettings *receiver)
{
    AuditDelivery *self = g_new0(AuditDelivery, 1);

    self->receiver = receiver;
    self->logs = g_ptr_array_new_with_free_func(log_free);
    return self;
}

bool
audit_delivery_add(AuditDelivery *self, const AuditDeliveryLog *log, GError **error)
{
    AuditCursor *cursor =
        audit_cursor_open(&(AuditCursorPlace){log->folder, log->org, log->origin, "syslog"}, error);
    Log *added = NULL;

    if (cursor == NULL)
        return false;
    added = g_new0(Log, 1);
    added->org = g_strdup(log->org);
    added->origin = g_strdup(log->origin);
    added->log = log->log;
    added->n_records = log->n_records;
    added->cursor = cursor;
    g_ptr_array_add(self->logs, added);
    return true;
}

static uint64_t
length_of(const Log *self)
{
    return self->log != NULL ? audit_log_length(self->log) : self->n_records;
}

/* A log that was cut behind our back has nothing that waits; whoever writes it says so. */
static uint64_t
waiting_of(const Log *self)
{
    const uint64_t n_records = length_of(self);
    const uint64_t n_kept = audit_cursor_kept(self->cursor);

    return n_records > n_kept ? n_records - n_kept : 0;
}

/* Returns: NULL for a record that this version does not know, as `audit export` leaves it out. */
static char *
frame_of(const Log *self, const char *line, size_t n_bytes)
{
    const AuditSourceId source = {self->org, self->origin, g_get_host_name()};
    g_auto(AuditRecord) record = {0};
    g_autofree char *message = NULL;

    if (!audit_record_parse(&record, line, n_bytes)) {
        g_warning("%s: a record is not sent, for this version does not know its event: %.*s",
                  self->org, (int) MIN(n_bytes, 80), line);
        return NULL;
    }
    message = syslog_message(&record, &source);
    return syslog_frame(message);
}

/* Leaves `self` where it is for this time. */
static void
tell_unreadable(Log *self, const GError *error)
{
    if (!self->is_unreadable)
        g_warning("%s: not sent on: %s", self->org, error->message);
    self->is_unreadable = true;
}

/* Returns: false sets `error`: the delivery has failed. */
static bool
send_log(Log *self, SyslogLink *link, unsigned *n_left, GError **error)
{
    const uint64_t n_records = length_of(self);

    for (; *n_left > 0; (*n_left)--) {
        g_autoptr(GError) reason = NULL;
        size_t n_bytes = 0;
        g_autofree char *line = audit_cursor_next(self->cursor, n_records, &n_bytes, &reason);
        g_autofree char *frame = NULL;

        if (reason != NULL)
            tell_unreadable(self, reason);
        if (line == NULL)
            return true;
        self->is_unreadable = false;
        frame = frame_of(self, line, n_bytes);
        if (frame != NULL && !syslog_link_send(link, frame, error))
            return false;
    }
    return true;
}

static SyslogLink *
open_link(const SyslogSettings *receiver, GCancellable *cancellable, GError **error)
{
    const SyslogLinkOptions options = {
        .address = receiver->address,
        .port = receiver->port,
        .ca_path = receiver->ca_path,
        .certificate_path = receiver->certificate_path,
        .key_path = receiver->key_path,
        .server_name = receiver->server_name,
        .timeout_ms = receiver->timeout_ms,
        .cancellable = cancellable,
    };

    return syslog_link_open(&options, error);
}

bool
audit_delivery_try(const SyslogSettings *receiver, GError **error)
{
    g_autoptr(SyslogLink) link = open_link(receiver, NULL, error);

    return link != NULL && syslog_link_finish(link, error);
}

static bool
deliver(AuditDelivery *self, unsigned n_most, GCancellable *cancellable, GError **error)
{
    g_autoptr(SyslogLink) link = open_link(self->receiver, cancellable, error);
    unsigned n_left = n_most;

    if (link == NULL)
        return false;
    for (guint i = 0; i < self->logs->len; i++) {
        if (!send_log(self->logs->pdata[i], link, &n_left, error))
            return false;
    }
    return syslog_link_finish(link, error);
}

static void
rewind_all(AuditDelivery *self)
{
    for (guint i = 0; i < self->logs->len; i++)
        audit_cursor_rewind(((Log *) self->logs->pdata[i])->cursor);
}

/* Returns: how many more are confirmed. A place that is not kept is sent from again. */
static uint64_t
keep_all(AuditDelivery *self)
{
    uint64_t n_sent = 0;

    for (guint i = 0; i < self->logs->len; i++) {
        Log *log = self->logs->pdata[i];
        const uint64_t n_before = audit_cursor_kept(log->cursor);
        g_autoptr(GError) error = NULL;

        if (!audit_cursor_keep(log->cursor, &error)) {
            tell_unreadable(log, error);
            audit_cursor_rewind(log->cursor);
        }
        n_sent += audit_cursor_kept(log->cursor) - n_before;
    }
    return n_sent;
}

bool
audit_delivery_run(AuditDelivery *self, unsigned n_most, GCancellable *cancellable,
                   uint64_t *n_sent, GError **error)
{
    *n_sent = 0;
    if (audit_delivery_waiting(self) == 0)
        return true;
    if (!deliver(self, n_most, cancellable, error)) {
        rewind_all(self);
        return false;
    }
    *n_sent = keep_all(self);
    return true;
}

uint64_t
audit_delivery_waiting(const AuditDelivery *self)
{
    uint64_t n_waiting = 0;

    for (guint i = 0; i < self->logs->len; i++)
        n_waiting += waiting_of(self->logs->pdata[i]);
    return n_waiting;
}

unsigned
audit_delivery_count(const AuditDelivery *self)
{
    return self->logs->len;
}

uint64_t
audit_delivery_waiting_of(const AuditDelivery *self, unsigned number, const char **org)
{
    const Log *log = self->logs->pdata[number];

    if (org != NULL)
        *org = log->org;
    return waiting_of(log);
}

void
audit_delivery_free(AuditDelivery *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->logs);
    g_free(self);
}
