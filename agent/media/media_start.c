#include "agent/media/media_format.h"

#include <gio/gio.h>
#include <gst/gst.h>

/* Every element that this folder makes, and where Debian has it. */
static const struct {
    const char *element;
    const char *package;
} required[] = {
    {"rtpopusdepay", "gstreamer1.0-plugins-good"},
    {"rtpvp8depay",  "gstreamer1.0-plugins-good"},
    {"rtpvp9depay",  "gstreamer1.0-plugins-good"},
    {"rtph264depay", "gstreamer1.0-plugins-good"},
    {"matroskamux",  "gstreamer1.0-plugins-good"},
    {"mp4mux",       "gstreamer1.0-plugins-good"},
    {"vp9parse",     "gstreamer1.0-plugins-bad" },
    {"h264parse",    "gstreamer1.0-plugins-bad" },
};

/* From level 7 (TRACE) on, elements print bytes of what they carry. */
#define MOST_DEBUG_ALLOWED GST_LEVEL_LOG

static bool
refuse_debug_that_prints_media(GError **error)
{
    const char *file = g_getenv("GST_DEBUG_FILE");

    if (file != NULL && *file != '\0') {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            "GST_DEBUG_FILE is set: unset it, its log can hold recorded media");
        return false;
    }
    /* Pictures of pipelines are of no use here and would be files beside the recording. */
    g_unsetenv("GST_DEBUG_DUMP_DOT_DIR");
    return true;
}

static bool
refuse_debug_level(GError **error)
{
    bool is_refused = gst_debug_get_default_threshold() > MOST_DEBUG_ALLOWED;
    GSList *categories = gst_debug_get_all_categories();

    for (GSList *i = categories; i != NULL; i = i->next)
        is_refused |= gst_debug_category_get_threshold(i->data) > MOST_DEBUG_ALLOWED;
    g_slist_free(categories);
    if (is_refused)
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            "GST_DEBUG is over 6: lower it, such a log can hold recorded media");
    return !is_refused;
}

static bool
find_elements(GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(required); i++) {
        GstElementFactory *factory = gst_element_factory_find(required[i].element);

        if (factory == NULL) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                        "GStreamer element %s is missing: install the package %s",
                        required[i].element, required[i].package);
            return false;
        }
        gst_object_unref(factory);
    }
    return true;
}

bool
media_start(GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (!refuse_debug_that_prints_media(error))
        return false;
    /* The scanner would be a process of its own that outlives a sandbox's patience. */
    gst_registry_fork_set_enabled(FALSE);
    if (!gst_init_check(NULL, NULL, &cause)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot start GStreamer: %s",
                    cause != NULL ? cause->message : "unknown cause");
        return false;
    }
    return find_elements(error) && refuse_debug_level(error);
}
