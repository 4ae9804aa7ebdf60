/* 1. Streams are declared. What is pushed before each of them has a first buffer waits.
 * 2. Then the muxer's pads are made, since it takes no new ones later, and a thread for each feeds
 * its pad, which blocks who is ahead of the others.
 * 3. Whoever pushes waits when much lies in its stream's queue and none of the queues is empty:
 * were one empty, the muxer might wait for just that stream. */
#include "agent/media/movie_writer.h"

#include "agent/media/export_sink.h"
#include "agent/media/media_pad.h"
#include "agent/media/movie_index.h"

#include <gio/gio.h>
#include <unistd.h>

#define MAX_WAITING 64
/* For each second of a stream: 4 bytes for each of 47 frames, 8 for each of a few chunks; doubled.
 */
#define INDEX_BYTES_PER_SECOND 440
#define INDEX_SPARE_US         INT64_C(20000000)

typedef struct {
    MovieWriter *writer;
    char *title;
    bool is_video;
    GstCaps *caps;
    GstPad *pad;
    GThread *thread;
    GQueue waiting; /* of GstBuffer; under the writer's mutex, as is_ended */
    bool is_ended;
} Stream;

struct MovieWriter {
    int fd;
    off_t base; /* where the file begins in `fd` */
    GstElement *muxer;
    ExportSink *sink;
    GPtrArray *streams; /* of Stream */
    bool is_begun;
    struct {
        GMutex mutex;
        GCond changed;
        GError *error; /* the first */
    } locked;
};

static void
stream_free(void *data)
{
    Stream *self = data;
    GstBuffer *buffer = NULL;

    while ((buffer = g_queue_pop_head(&self->waiting)) != NULL)
        gst_buffer_unref(buffer);
    media_pad_free(self->pad, NULL, NULL);
    gst_clear_caps(&self->caps);
    g_free(self->title);
    g_free(self);
}

MovieWriter *
movie_writer_new(int fd, int64_t length_us, GError **error)
{
    g_autoptr(MovieWriter) self = g_new0(MovieWriter, 1);

    self->fd = fd;
    self->base = lseek(fd, 0, SEEK_CUR);
    g_mutex_init(&self->locked.mutex);
    g_cond_init(&self->locked.changed);
    self->streams = g_ptr_array_new_with_free_func(stream_free);
    self->muxer = media_pad_new_element("mp4mux", error);
    if (self->muxer == NULL)
        return NULL;
    g_object_set(self->muxer, "reserved-max-duration",
                 (guint64) (length_us + length_us / 4 + INDEX_SPARE_US) * 1000,
                 "reserved-bytes-per-sec", INDEX_BYTES_PER_SECOND, NULL);
    self->sink = export_sink_new(self->muxer, fd);
    if (!export_sink_is_seekable(self->sink)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "MP4 can not be written into a pipe: export to a file");
        return NULL;
    }
    gst_element_set_state(self->muxer, GST_STATE_PAUSED);
    return g_steal_pointer(&self);
}

void
movie_writer_set_comment(MovieWriter *self, const char *comment)
{
    media_pad_set_comment(self->muxer, comment);
}

unsigned
movie_writer_declare(MovieWriter *self, const char *title, bool is_video)
{
    Stream *stream = g_new0(Stream, 1);

    stream->writer = self;
    stream->title = g_strdup(title);
    stream->is_video = is_video;
    g_queue_init(&stream->waiting);
    g_ptr_array_add(self->streams, stream);
    return self->streams->len - 1;
}

static bool
has_failed(MovieWriter *self)
{
    bool result = false;

    g_mutex_lock(&self->locked.mutex);
    result = self->locked.error != NULL;
    g_mutex_unlock(&self->locked.mutex);
    return result;
}

static void
fail(MovieWriter *self, const Stream *stream)
{
    GError *error = NULL;

    if (export_sink_is_good(self->sink, &error)) {
        error = g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED, "the muxer refused the stream %s",
                            stream->title);
    }
    g_mutex_lock(&self->locked.mutex);
    if (self->locked.error == NULL)
        self->locked.error = g_steal_pointer(&error);
    g_cond_broadcast(&self->locked.changed);
    g_mutex_unlock(&self->locked.mutex);
    g_clear_error(&error);
}

/* Returns: the next of the stream's buffers; NULL at its end. */
static GstBuffer *
wait_for_buffer(Stream *stream)
{
    MovieWriter *self = stream->writer;
    GstBuffer *buffer = NULL;

    g_mutex_lock(&self->locked.mutex);
    while (g_queue_is_empty(&stream->waiting) && !stream->is_ended && self->locked.error == NULL)
        g_cond_wait(&self->locked.changed, &self->locked.mutex);
    if (self->locked.error == NULL)
        buffer = g_queue_pop_head(&stream->waiting);
    g_cond_broadcast(&self->locked.changed);
    g_mutex_unlock(&self->locked.mutex);
    return buffer;
}

static void *
feed(void *user_data)
{
    Stream *stream = user_data;
    GstBuffer *buffer = NULL;

    while ((buffer = wait_for_buffer(stream)) != NULL) {
        if (gst_pad_push(stream->pad, buffer) != GST_FLOW_OK) {
            fail(stream->writer, stream);
            break;
        }
    }
    /* Even after a fault, so that nobody waits for this stream. */
    gst_pad_push_event(stream->pad, gst_event_new_eos());
    return NULL;
}

static bool
open_pad(MovieWriter *self, Stream *stream)
{
    GstTagList *tags = gst_tag_list_new(GST_TAG_TITLE, stream->title, NULL);

    gst_tag_list_set_scope(tags, GST_TAG_SCOPE_STREAM);
    stream->pad =
        media_pad_new_source(self->muxer, stream->is_video ? "video_%u" : "audio_%u", stream->caps);
    if (stream->pad == NULL) {
        gst_tag_list_unref(tags);
        fail(self, stream);
        return false;
    }
    gst_pad_push_event(stream->pad, gst_event_new_tag(tags));
    return true;
}

static bool
begin(MovieWriter *self)
{
    for (guint i = 0; i < self->streams->len; i++) {
        if (((const Stream *) self->streams->pdata[i])->caps == NULL)
            return true;
    }
    for (guint i = 0; i < self->streams->len; i++) {
        if (!open_pad(self, self->streams->pdata[i]))
            return false;
    }
    for (guint i = 0; i < self->streams->len; i++) {
        Stream *stream = self->streams->pdata[i];

        stream->thread = g_thread_new("movie", feed, stream);
    }
    self->is_begun = true;
    return true;
}

static bool
is_one_empty_locked(const MovieWriter *self)
{
    for (guint i = 0; i < self->streams->len; i++) {
        if (g_queue_is_empty(&((Stream *) self->streams->pdata[i])->waiting))
            return true;
    }
    return false;
}

bool
movie_writer_push(MovieWriter *self, unsigned number, GstBuffer *buffer, const GstCaps *caps)
{
    Stream *stream = self->streams->pdata[number];
    bool is_good = false;

    g_mutex_lock(&self->locked.mutex);
    while (self->is_begun && self->locked.error == NULL && !is_one_empty_locked(self) &&
           g_queue_get_length(&stream->waiting) >= MAX_WAITING)
        g_cond_wait(&self->locked.changed, &self->locked.mutex);
    g_queue_push_tail(&stream->waiting, buffer);
    g_cond_broadcast(&self->locked.changed);
    is_good = self->locked.error == NULL;
    g_mutex_unlock(&self->locked.mutex);
    if (stream->caps == NULL && caps != NULL)
        stream->caps = gst_caps_copy(caps);
    return is_good && (self->is_begun || begin(self));
}

static void
end_streams(MovieWriter *self)
{
    g_mutex_lock(&self->locked.mutex);
    for (guint i = 0; i < self->streams->len; i++)
        ((Stream *) self->streams->pdata[i])->is_ended = true;
    g_cond_broadcast(&self->locked.changed);
    g_mutex_unlock(&self->locked.mutex);
    for (guint i = 0; i < self->streams->len; i++) {
        Stream *stream = self->streams->pdata[i];

        if (stream->thread != NULL)
            g_thread_join(g_steal_pointer(&stream->thread));
    }
}

static bool
mend_index(MovieWriter *self, GError **error)
{
    g_autoptr(GPtrArray) titles = g_ptr_array_new();

    for (guint i = 0; i < self->streams->len; i++)
        g_ptr_array_add(titles, ((const Stream *) self->streams->pdata[i])->title);
    return movie_index_mend(self->fd, self->base, titles, error);
}

bool
movie_writer_finish(MovieWriter *self, GError **error)
{
    end_streams(self);
    if (!has_failed(self) && self->is_begun)
        return export_sink_finish(self->sink, error) && mend_index(self, error);
    if (self->locked.error != NULL) {
        g_propagate_error(error, g_error_copy(self->locked.error));
    } else {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "an encoder gave nothing to write");
    }
    return false;
}

void
movie_writer_free(MovieWriter *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->locked.mutex);
    if (self->locked.error == NULL)
        self->locked.error = g_error_new(G_IO_ERROR, G_IO_ERROR_CANCELLED, "given up");
    g_mutex_unlock(&self->locked.mutex);
    /* Before its streams end, or it would make an index of what is given up, and not find all. */
    if (self->muxer != NULL)
        gst_element_set_state(self->muxer, GST_STATE_NULL);
    end_streams(self);
    g_ptr_array_unref(self->streams);
    media_pad_free(NULL, self->muxer, NULL);
    export_sink_free(self->sink);
    g_clear_error(&self->locked.error);
    g_cond_clear(&self->locked.changed);
    g_mutex_clear(&self->locked.mutex);
    g_free(self);
}
