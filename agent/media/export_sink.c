#include "agent/media/export_sink.h"

#include "agent/media/export_fd.h"
#include "agent/media/media_pad.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define GATHERED_BYTES 262144

struct ExportSink {
    int fd;
    bool is_seekable;
    off_t base; /* where the file begins in `fd` */
    GstPad *pad;
    uint8_t *gathered; /* the muxer's thread only, as n_gathered */
    size_t n_gathered;
    struct {
        GMutex mutex;
        GCond changed;
        GError *error;
        bool is_ended;
    } locked;
};

/* Keeps the first `fault`, which is taken. */
static bool
fail(ExportSink *self, GError *fault)
{
    g_mutex_lock(&self->locked.mutex);
    if (self->locked.error == NULL)
        self->locked.error = g_steal_pointer(&fault);
    g_cond_signal(&self->locked.changed);
    g_mutex_unlock(&self->locked.mutex);
    g_clear_error(&fault);
    return false;
}

static bool
write_gathered(ExportSink *self)
{
    GError *fault = NULL;
    const size_t n_bytes = self->n_gathered;

    self->n_gathered = 0;
    return export_fd_write(self->fd, self->gathered, n_bytes, &fault) || fail(self, fault);
}

static bool
gather(ExportSink *self, const uint8_t *bytes, size_t n_bytes)
{
    while (n_bytes > 0) {
        const size_t n_now = MIN(n_bytes, GATHERED_BYTES - self->n_gathered);

        memcpy(self->gathered + self->n_gathered, bytes, n_now);
        self->n_gathered += n_now;
        bytes += n_now;
        n_bytes -= n_now;
        if (self->n_gathered == GATHERED_BYTES && !write_gathered(self))
            return false;
    }
    return true;
}

static GstFlowReturn
on_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    ExportSink *self = gst_pad_get_element_private(pad);
    GstMapInfo map;
    bool is_good = false;

    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        is_good = gather(self, map.data, map.size);
        gst_buffer_unmap(buffer, &map);
    }
    gst_buffer_unref(buffer);
    return is_good ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* A muxer goes back in its file by a new segment of bytes. */
static bool
go_to(ExportSink *self, GstEvent *event)
{
    const GstSegment *segment = NULL;
    GError *fault = NULL;

    gst_event_parse_segment(event, &segment);
    if (segment->format != GST_FORMAT_BYTES || !self->is_seekable)
        return true;
    if (!write_gathered(self))
        return false;
    if (lseek(self->fd, self->base + (off_t) segment->start, SEEK_SET) >= 0)
        return true;
    (void) export_fd_fail_errno(&fault); /* which sets it */
    return fail(self, fault);
}

static gboolean
on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    ExportSink *self = gst_pad_get_element_private(pad);
    bool is_good = true;

    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT)
        is_good = go_to(self, event);
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
        is_good = write_gathered(self);
        g_mutex_lock(&self->locked.mutex);
        self->locked.is_ended = true;
        g_cond_signal(&self->locked.changed);
        g_mutex_unlock(&self->locked.mutex);
    }
    gst_event_unref(event);
    return is_good;
}

static gboolean
on_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    ExportSink *self = gst_pad_get_element_private(pad);

    switch ((int) GST_QUERY_TYPE(query)) {
    case GST_QUERY_SEEKING:
        gst_query_set_seeking(query, GST_FORMAT_BYTES, self->is_seekable, 0, -1);
        return TRUE;
    case GST_QUERY_CAPS: {
        g_autoptr(GstCaps) any = gst_caps_new_any();

        gst_query_set_caps_result(query, any);
        return TRUE;
    }
    case GST_QUERY_ACCEPT_CAPS:
        gst_query_set_accept_caps_result(query, TRUE);
        return TRUE;
    default:
        return FALSE;
    }
}

ExportSink *
export_sink_new(GstElement *muxer, int fd)
{
    ExportSink *self = g_new0(ExportSink, 1);

    self->fd = fd;
    self->base = lseek(fd, 0, SEEK_CUR);
    self->is_seekable = export_fd_is_seekable(fd);
    self->gathered = g_malloc(GATHERED_BYTES);
    g_mutex_init(&self->locked.mutex);
    g_cond_init(&self->locked.changed);
    self->pad = media_pad_new_sink(muxer, NULL, on_buffer, on_event, self);
    gst_pad_set_query_function(self->pad, on_query);
    return self;
}

bool
export_sink_is_seekable(const ExportSink *self)
{
    return self->is_seekable;
}

static bool
take_error_locked(ExportSink *self, GError **error)
{
    if (self->locked.error != NULL)
        g_propagate_error(error, g_error_copy(self->locked.error));
    return self->locked.error == NULL;
}

bool
export_sink_is_good(ExportSink *self, GError **error)
{
    bool is_good = false;

    g_mutex_lock(&self->locked.mutex);
    is_good = take_error_locked(self, error);
    g_mutex_unlock(&self->locked.mutex);
    return is_good;
}

bool
export_sink_finish(ExportSink *self, GError **error)
{
    bool is_good = false;

    g_mutex_lock(&self->locked.mutex);
    while (!self->locked.is_ended && self->locked.error == NULL)
        g_cond_wait(&self->locked.changed, &self->locked.mutex);
    is_good = take_error_locked(self, error);
    g_mutex_unlock(&self->locked.mutex);
    return is_good;
}

void
export_sink_free(ExportSink *self)
{
    if (self == NULL)
        return;
    gst_pad_set_active(self->pad, FALSE);
    gst_object_unref(self->pad);
    explicit_bzero(self->gathered, GATHERED_BYTES);
    g_free(self->gathered);
    g_clear_error(&self->locked.error);
    g_cond_clear(&self->locked.changed);
    g_mutex_clear(&self->locked.mutex);
    g_free(self);
}
