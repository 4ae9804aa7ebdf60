#include "agent/media/media_stage.h"

#include "agent/media/media_pad.h"

#include <gio/gio.h>

struct MediaStage {
    MediaStageOptions options;
    GstPad *source;
    GstElement *element;
    GstPad *sink;
    GstCaps *caps; /* of what comes out */
};

static GstFlowReturn
on_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    MediaStage *self = gst_pad_get_element_private(pad);

    self->options.on_buffer(buffer, self->caps, self->options.user_data);
    return GST_FLOW_OK;
}

static gboolean
on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    MediaStage *self = gst_pad_get_element_private(pad);
    GstCaps *caps = NULL;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        gst_event_parse_caps(event, &caps);
        gst_caps_replace(&self->caps, caps);
    }
    gst_event_unref(event);
    return TRUE;
}

static void
apply_settings(MediaStage *self)
{
    const char *const *setting = self->options.settings;

    for (; setting != NULL && setting[0] != NULL; setting += 2)
        gst_util_set_object_arg(G_OBJECT(self->element), setting[0], setting[1]);
}

MediaStage *
media_stage_new(const MediaStageOptions *options, GError **error)
{
    g_autoptr(MediaStage) self = g_new0(MediaStage, 1);

    self->options = *options;
    self->element = media_pad_new_element(options->factory, error);
    if (self->element == NULL)
        return NULL;
    apply_settings(self);
    self->sink = media_pad_new_sink(self->element, options->wanted, on_chain, on_event, self);
    stall_guard_enter(options->guard, options->what);
    gst_element_set_state(self->element, GST_STATE_PAUSED);
    self->source = media_pad_new_source(self->element, "sink", options->caps);
    stall_guard_leave(options->guard);
    if (self->source == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s refused its settings",
                    options->factory);
        return NULL;
    }
    return g_steal_pointer(&self);
}

bool
media_stage_push(MediaStage *self, GstBuffer *buffer)
{
    GstFlowReturn flow = GST_FLOW_OK;

    stall_guard_enter(self->options.guard, self->options.what);
    flow = gst_pad_push(self->source, buffer);
    stall_guard_leave(self->options.guard);
    return flow == GST_FLOW_OK;
}

void
media_stage_finish(MediaStage *self)
{
    stall_guard_enter(self->options.guard, self->options.what);
    gst_pad_push_event(self->source, gst_event_new_eos());
    stall_guard_leave(self->options.guard);
}

void
media_stage_free(MediaStage *self)
{
    if (self == NULL)
        return;
    media_pad_free(self->source, self->element, self->sink);
    gst_clear_caps(&self->caps);
    g_free(self);
}
