#include "agent/media/picture_canvas.h"

#include <string.h>

struct PictureCanvas {
    GstVideoInfo info;
    GstBuffer *buffer;
    GstVideoFrame frame; /* of `buffer`, mapped as long as the canvas lives */
};

/* Scales into a small canvas of its own: the converter, told to keep to a part of a large one,
 * paints over what is beside it. */
struct PictureScaler {
    GstVideoConverter *converter; /* NULL: there is no way from such a picture to ours */
    GstVideoInfo info;
    PictureCanvas *scaled;
};

#define WHITE 235

PictureCanvas *
picture_canvas_new(int width, int height)
{
    PictureCanvas *self = g_new0(PictureCanvas, 1);
    bool is_mapped = false;

    gst_video_info_set_format(&self->info, GST_VIDEO_FORMAT_I420, (guint) width, (guint) height);
    gst_video_colorimetry_from_string(&self->info.colorimetry, GST_VIDEO_COLORIMETRY_BT601);
    self->info.chroma_site = GST_VIDEO_CHROMA_SITE_MPEG2;
    self->buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&self->info), NULL);
    is_mapped = gst_video_frame_map(&self->frame, &self->info, self->buffer, GST_MAP_READWRITE);
    g_assert(is_mapped);
    return self;
}

GstCaps *
picture_canvas_caps(const PictureCanvas *self, int frame_rate)
{
    GstVideoInfo info = self->info;

    info.fps_n = frame_rate;
    info.fps_d = 1;
    return gst_video_info_to_caps(&info);
}

LayoutRect
picture_canvas_area(const PictureCanvas *self)
{
    return (LayoutRect){0, 0, self->info.width, self->info.height};
}

static uint8_t *
pixel_of(PictureCanvas *self, unsigned plane, int x, int y)
{
    const size_t stride = (size_t) GST_VIDEO_FRAME_PLANE_STRIDE(&self->frame, plane);

    return (uint8_t *) GST_VIDEO_FRAME_PLANE_DATA(&self->frame, plane) + (size_t) y * stride + x;
}

void
picture_canvas_fill(PictureCanvas *self, const LayoutRect *area, PictureColour colour)
{
    const uint8_t values[] = {colour.y, colour.u, colour.v};

    for (unsigned plane = 0; plane < 3; plane++) {
        const int shift = plane > 0 ? 1 : 0;

        for (int y = area->y >> shift; y < (area->y + area->height) >> shift; y++) {
            memset(pixel_of(self, plane, area->x >> shift, y), values[plane],
                   (size_t) area->width >> shift);
        }
    }
}

void
picture_canvas_write(PictureCanvas *self, const TextMask *text, int x, int y)
{
    const int right = MIN(text->width, self->info.width - x);
    const int bottom = MIN(text->height, self->info.height - y);

    for (int row = MAX(0, -y); row < bottom; row++) {
        const uint8_t *cover = text->coverage + (size_t) row * text->width;
        uint8_t *pixels = pixel_of(self, 0, 0, y + row);

        for (int column = MAX(0, -x); column < right; column++) {
            uint8_t *pixel = pixels + x + column;

            *pixel = (uint8_t) (*pixel + (WHITE - *pixel) * cover[column] / 255);
        }
    }
}

static bool
suits(const PictureScaler *scaler, const GstVideoInfo *info, const LayoutRect *area)
{
    return scaler != NULL && gst_video_info_is_equal(&scaler->info, info) &&
           scaler->scaled->info.width == area->width && scaler->scaled->info.height == area->height;
}

/* What a camera's stream says of its colours, or a decoder guesses from its size, is off as often
 * as not, and a shade of difference is worth no time. The range of its numbers matters. */
static GstVideoInfo
with_our_colours(const PictureCanvas *self, const GstVideoInfo *info)
{
    GstVideoInfo alike = *info;

    if (GST_VIDEO_INFO_IS_YUV(info)) {
        alike.colorimetry = self->info.colorimetry;
        alike.colorimetry.range = info->colorimetry.range;
        alike.chroma_site = self->info.chroma_site;
    }
    return alike;
}

static PictureScaler *
make_scaler(const PictureCanvas *self, const GstVideoInfo *info, const LayoutRect *area)
{
    PictureScaler *scaler = g_new0(PictureScaler, 1);
    const GstVideoInfo alike = with_our_colours(self, info);
    GstStructure *settings = gst_structure_new(
        "scaler", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
        GST_VIDEO_RESAMPLER_METHOD_LINEAR, GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
        GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL);

    scaler->info = *info;
    scaler->scaled = picture_canvas_new(area->width, area->height);
    scaler->converter = gst_video_converter_new(&alike, &scaler->scaled->info, settings);
    return scaler;
}

static void
copy_rows(PictureCanvas *self, PictureCanvas *from, int left, int top)
{
    for (unsigned plane = 0; plane < 3; plane++) {
        const int shift = plane > 0 ? 1 : 0;

        for (int y = 0; y < from->info.height >> shift; y++) {
            memcpy(pixel_of(self, plane, left >> shift, (top >> shift) + y),
                   pixel_of(from, plane, 0, y), (size_t) from->info.width >> shift);
        }
    }
}

void
picture_canvas_put(PictureCanvas *self, GstBuffer *picture, const GstVideoInfo *info,
                   const LayoutRect *area, PictureScaler **scaler)
{
    GstVideoFrame frame;

    if (!suits(*scaler, info, area)) {
        picture_scaler_free(*scaler);
        *scaler = make_scaler(self, info, area);
    }
    if ((*scaler)->converter == NULL || !gst_video_frame_map(&frame, info, picture, GST_MAP_READ))
        return;
    gst_video_converter_frame((*scaler)->converter, &frame, &(*scaler)->scaled->frame);
    gst_video_frame_unmap(&frame);
    copy_rows(self, (*scaler)->scaled, area->x, area->y);
}

void
picture_scaler_free(PictureScaler *scaler)
{
    if (scaler == NULL)
        return;
    g_clear_pointer(&scaler->converter, gst_video_converter_free);
    picture_canvas_free(scaler->scaled);
    g_free(scaler);
}

GstBuffer *
picture_canvas_snapshot(const PictureCanvas *self)
{
    GstBuffer *copy = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&self->info), NULL);

    gst_buffer_fill(copy, 0, GST_VIDEO_FRAME_PLANE_DATA(&self->frame, 0),
                    GST_VIDEO_INFO_SIZE(&self->info));
    return copy;
}

void
picture_canvas_free(PictureCanvas *self)
{
    if (self == NULL)
        return;
    gst_video_frame_unmap(&self->frame);
    gst_buffer_unref(self->buffer);
    g_free(self);
}
