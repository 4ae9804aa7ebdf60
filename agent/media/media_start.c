#include "agent/media/media_format.h"

#include <gio/gio.h>
#include <gst/gst.h>

/* All of GStreamer that is ever loaded, and the elements of it that this folder makes. The registry
 * would look into every plugin on the machine, some of which start threads or look for cameras by
 * it. */
typedef struct {
    const char *plugin;
    const char *package;
    const char *elements[8];
} Required;

static const Required required[] = {
    {"rtp",
     "gstreamer1.0-plugins-good",             {"rtpopusdepay", "rtpvp8depay", "rtpvp9depay", "rtph264depay", "rtppcmudepay", "rtppcmadepay",
      "rtpg722depay"}       },
    {"matroska", "gstreamer1.0-plugins-good", {"matroskamux"}},
    {"isomp4",   "gstreamer1.0-plugins-good", {"mp4mux"}     },
};

/* And what decodes and encodes, which only an export to a layout does. */
static const Required required_for_layouts[] = {
    {"vpx",   "gstreamer1.0-plugins-good", {"vp8dec", "vp9dec"}                     },
    {"opus",  "gstreamer1.0-plugins-base", {"opusdec"}                              },
    {"mulaw", "gstreamer1.0-plugins-good", {"mulawdec"}                             },
    {"alaw",  "gstreamer1.0-plugins-good", {"alawdec"}                              },
    {"x264",  "gstreamer1.0-plugins-ugly", {"x264enc"}                              },
    {"libav", "gstreamer1.0-libav",        {"avdec_h264", "avdec_g722", "avenc_aac"}},
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
    if (is_refused) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            "GST_DEBUG is over 6: lower it, such a log can hold recorded media");
    }
    return !is_refused;
}

static bool
has_element(const char *name)
{
    GstElementFactory *factory = gst_element_factory_find(name);
    const bool result = factory != NULL;

    g_clear_pointer(&factory, gst_object_unref);
    return result;
}

static void
load_plugin(const char *name)
{
    g_autofree char *path = g_strconcat(GST_PLUGINS_DIR, "/libgst", name, ".so", NULL);
    GstPlugin *plugin = gst_plugin_load_file(path, NULL); /* its elements are looked for next */

    g_clear_pointer(&plugin, gst_object_unref);
}

static bool
load_elements(const Required *rows, size_t n_rows, GError **error)
{
    for (size_t i = 0; i < n_rows; i++) {
        const char *const *element = rows[i].elements;

        if (!has_element(element[0]))
            load_plugin(rows[i].plugin);
        for (; *element != NULL; element++) {
            if (has_element(*element))
                continue;
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                        "GStreamer element %s is missing: install the package %s", *element,
                        rows[i].package);
            return false;
        }
    }
    return true;
}

/* Needs no home and leaves nothing there. */
static bool
init_without_registry(GError **error)
{
    g_autoptr(GError) cause = NULL;
    bool is_good = false;

    g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
    is_good = gst_init_check(NULL, NULL, &cause);
    g_unsetenv("GST_REGISTRY_DISABLE");
    if (!is_good) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot start GStreamer: %s",
                    cause != NULL ? cause->message : "unknown cause");
    }
    return is_good;
}

bool
media_start(GError **error)
{
    return refuse_debug_that_prints_media(error) && init_without_registry(error) &&
           load_elements(required, G_N_ELEMENTS(required), error) && refuse_debug_level(error);
}

bool
media_start_layouts(GError **error)
{
    return load_elements(required_for_layouts, G_N_ELEMENTS(required_for_layouts), error);
}
