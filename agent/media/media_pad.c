#include "agent/media/media_pad.h"

#include <gio/gio.h>
#include <string.h>

/* Depayloaders of GStreamer 1.22 look a few bytes past the end of a short payload. */
#define SLACK_BYTES 16

typedef struct {
    size_t n_bytes;
    uint8_t bytes[];
} WipedBytes;

static void
wipe_and_free(void *data)
{
    WipedBytes *wiped = data;

    explicit_bzero(wiped->bytes, wiped->n_bytes);
    g_free(wiped);
}

static void
append(WipedBytes *wiped, const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes > 0)
        memcpy(wiped->bytes + wiped->n_bytes, bytes, n_bytes);
    wiped->n_bytes += n_bytes;
    memset(wiped->bytes + wiped->n_bytes, 0, SLACK_BYTES);
}

GstBuffer *
media_pad_new_buffer(const uint8_t *bytes, size_t n_bytes)
{
    uint8_t *start = NULL;

    return media_pad_new_roomy_buffer(bytes, n_bytes, 0, &start);
}

GstBuffer *
media_pad_new_roomy_buffer(const uint8_t *bytes, size_t n_bytes, size_t n_room, uint8_t **start)
{
    WipedBytes *wiped = g_malloc(sizeof(WipedBytes) + n_bytes + n_room + SLACK_BYTES);

    wiped->n_bytes = 0;
    append(wiped, bytes, n_bytes);
    *start = wiped->bytes;
    return gst_buffer_new_wrapped_full(0, wiped->bytes, n_bytes + n_room, 0, n_bytes, wiped,
                                       wipe_and_free);
}

bool
media_pad_extend_buffer(GstBuffer *buffer, uint8_t *start, const uint8_t *bytes, size_t n_bytes)
{
    WipedBytes *wiped = (WipedBytes *) (void *) (start - offsetof(WipedBytes, bytes));
    size_t n_max = 0;

    (void) gst_buffer_get_sizes(buffer, NULL, &n_max);
    if (n_bytes > n_max - wiped->n_bytes)
        return false;
    append(wiped, bytes, n_bytes);
    gst_buffer_set_size(buffer, (gssize) wiped->n_bytes);
    return true;
}

void
media_pad_wipe_buffer(GstBuffer *buffer)
{
    if (gst_buffer_is_writable(buffer)) {
        for (guint i = 0; i < gst_buffer_n_memory(buffer); i++) {
            GstMemory *memory = gst_buffer_peek_memory(buffer, i);
            GstMapInfo map;

            if (gst_memory_is_writable(memory) && gst_memory_map(memory, &map, GST_MAP_WRITE)) {
                explicit_bzero(map.data, map.size);
                gst_memory_unmap(memory, &map);
            }
        }
    }
    gst_buffer_unref(buffer);
}

static gboolean
on_source_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    /* Requests to renegotiate or for a keyframe: the track decides that itself. */
    gst_event_unref(event);
    return TRUE;
}

static gboolean
on_source_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    return FALSE;
}

static gboolean
on_sink_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    GstCaps *wanted = g_object_get_data(G_OBJECT(pad), "wanted-caps");

    switch ((int) GST_QUERY_TYPE(query)) {
    case GST_QUERY_CAPS:
        gst_query_set_caps_result(query, wanted);
        return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
        gst_query_set_accept_caps_result(query, TRUE);
        return TRUE;
    default:
        return FALSE;
    }
}

static GstPad *
find_pad(GstElement *element, const char *name)
{
    return strchr(name, '%') != NULL ? gst_element_request_pad_simple(element, name)
                                     : gst_element_get_static_pad(element, name);
}

GstPad *
media_pad_new_source(GstElement *element, const char *pad_name, const GstCaps *caps)
{
    GstPad *self = gst_object_ref_sink(gst_pad_new("src", GST_PAD_SRC));
    GstPad *peer = find_pad(element, pad_name);
    GstSegment segment;
    bool is_good = false;

    gst_pad_set_event_function(self, on_source_event);
    gst_pad_set_query_function(self, on_source_query);
    gst_pad_set_active(self, TRUE);
    if (peer != NULL &&
        gst_pad_link_full(self, peer, GST_PAD_LINK_CHECK_NOTHING) == GST_PAD_LINK_OK) {
        gst_segment_init(&segment, GST_FORMAT_TIME);
        is_good = gst_pad_push_event(self, gst_event_new_stream_start("sealtape")) &&
                  gst_pad_push_event(self, gst_event_new_caps((GstCaps *) caps)) &&
                  gst_pad_push_event(self, gst_event_new_segment(&segment));
    }
    g_clear_pointer(&peer, gst_object_unref);
    if (is_good)
        return self;
    gst_object_unref(self);
    return NULL;
}

void
media_pad_set_peer_flag(GstPad *source, const char *property, bool value)
{
    GstPad *peer = gst_pad_get_peer(source);

    g_object_set(peer, property, (gboolean) value, NULL);
    gst_object_unref(peer);
}

GstPad *
media_pad_new_sink(GstElement *element, const char *wanted, GstPadChainFunction chain,
                   GstPadEventFunction on_event, void *user_data)
{
    GstPad *self = gst_object_ref_sink(gst_pad_new("sink", GST_PAD_SINK));
    GstPad *peer = gst_element_get_static_pad(element, "src");
    GstCaps *caps = wanted != NULL ? gst_caps_from_string(wanted) : gst_caps_new_any();

    g_object_set_data_full(G_OBJECT(self), "wanted-caps", caps, (GDestroyNotify) gst_caps_unref);
    gst_pad_set_element_private(self, user_data);
    gst_pad_set_chain_function(self, chain);
    gst_pad_set_event_function(self, on_event);
    gst_pad_set_query_function(self, on_sink_query);
    gst_pad_set_active(self, TRUE);
    const GstPadLinkReturn linked = gst_pad_link_full(peer, self, GST_PAD_LINK_CHECK_NOTHING);
    g_assert(linked == GST_PAD_LINK_OK);
    gst_object_unref(peer);
    return self;
}

GstElement *
media_pad_new_element(const char *factory_name, GError **error)
{
    GstElement *element = gst_element_factory_make(factory_name, NULL);

    if (element == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "GStreamer element %s is missing",
                    factory_name);
        return NULL;
    }
    return gst_object_ref_sink(element);
}

void
media_pad_set_comment(GstElement *element, const char *comment)
{
    if (comment != NULL) {
        gst_tag_setter_add_tags(GST_TAG_SETTER(element), GST_TAG_MERGE_REPLACE, GST_TAG_COMMENT,
                                comment, NULL);
    }
}

void
media_pad_free(GstPad *source, GstElement *element, GstPad *sink)
{
    if (source != NULL)
        gst_pad_set_active(source, FALSE);
    if (element != NULL)
        gst_element_set_state(element, GST_STATE_NULL);
    if (sink != NULL)
        gst_pad_set_active(sink, FALSE);
    g_clear_pointer(&source, gst_object_unref);
    g_clear_pointer(&element, gst_object_unref);
    g_clear_pointer(&sink, gst_object_unref);
}
