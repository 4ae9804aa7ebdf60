#include "agent/media/tile_view.h"

#include "agent/media/card_text.h"

#include <string.h>

#define PADDING 8

static const PictureColour black = {16, 128, 128};
static const PictureColour card_colour = {44, 134, 124};
static const PictureColour caption_colour = {28, 131, 126};

struct TileView {
    TextFont *font;
    char *caption;
    TextMask *caption_mask;
    PictureScaler *scaler;
    bool is_painted;
    LayoutRect area;
    LayoutRect picture_area; /* of the last picture; width 0: it was a card */
    GstBuffer *picture;      /* to tell it from the next; a reference is held */
    char *reason;
};

TileView *
tile_view_new(TextFont *font, const char *caption)
{
    TileView *self = g_new0(TileView, 1);

    self->font = font;
    self->caption = g_strdup(caption);
    return self;
}

static unsigned
text_size(const LayoutRect *area, int part, int least, int most)
{
    return (unsigned) CLAMP(MIN(area->height, area->width * 3 / 4) / part, least, most);
}

static void
paint_caption(TileView *self, PictureCanvas *canvas)
{
    const LayoutRect *area = &self->area;
    LayoutRect plate;

    if (self->caption == NULL)
        return;
    if (self->caption_mask == NULL) {
        self->caption_mask = text_font_draw(self->font, self->caption, text_size(area, 22, 11, 24));
    }
    plate.width = MIN((self->caption_mask->width + 2 * PADDING + 1) & ~1, area->width);
    plate.height = MIN((self->caption_mask->height + PADDING / 2 + 1) & ~1, area->height);
    plate.x = area->x;
    plate.y = area->y + area->height - plate.height;
    picture_canvas_fill(canvas, &plate, caption_colour);
    picture_canvas_write(canvas, self->caption_mask, plate.x + PADDING, plate.y + PADDING / 4);
}

/* Breaks `text` between words into lines that fit. Returns: GPtrArray of TextMask. */
static GPtrArray *
break_lines(TileView *self, const char *text, unsigned size, int width)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func((GDestroyNotify) text_mask_free);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_autoptr(GString) line = g_string_new(NULL);
    TextMask *fits = NULL;

    for (char **word = words; *word != NULL; word++) {
        g_autofree char *longer = g_strconcat(line->str, line->len > 0 ? " " : "", *word, NULL);
        TextMask *mask = text_font_draw(self->font, longer, size);

        if (mask->width > width && line->len > 0) {
            g_ptr_array_add(lines, g_steal_pointer(&fits));
            g_string_assign(line, *word);
            text_mask_free(mask);
            mask = text_font_draw(self->font, *word, size);
        } else {
            g_string_assign(line, longer);
        }
        text_mask_free(fits);
        fits = mask;
    }
    if (fits != NULL)
        g_ptr_array_add(lines, fits);
    return lines;
}

static int
height_of(const GPtrArray *lines)
{
    int height = 0;

    for (guint i = 0; i < lines->len; i++)
        height += ((const TextMask *) lines->pdata[i])->height;
    return height;
}

/* Returns: where the next line begins. */
static int
write_lines(const TileView *self, PictureCanvas *canvas, const GPtrArray *lines, int y)
{
    for (guint i = 0; i < lines->len; i++) {
        const TextMask *line = lines->pdata[i];

        picture_canvas_write(canvas, line,
                             self->area.x + MAX(0, (self->area.width - line->width) / 2), y);
        y += line->height;
    }
    return y;
}

static void
paint_card(TileView *self, PictureCanvas *canvas, const TileState *state)
{
    const int width = self->area.width - 2 * PADDING;
    CardText text;
    int y = 0;

    card_text_of_gap(&text, state->reason, state->is_video);
    g_autoptr(GPtrArray) headline =
        break_lines(self, text.headline, text_size(&self->area, 11, 13, 44), width);
    g_autoptr(GPtrArray) detail =
        break_lines(self, text.detail, text_size(&self->area, 17, 11, 28), width);

    picture_canvas_fill(canvas, &self->area, card_colour);
    y = self->area.y + MAX(0, (self->area.height - height_of(headline) - height_of(detail)) / 2);
    y = write_lines(self, canvas, headline, y);
    (void) write_lines(self, canvas, detail, y); /* where it ends does not matter */
    self->picture_area.width = 0;
    card_text_clear(&text);
}

static void
paint_picture(TileView *self, PictureCanvas *canvas, const Picture *picture)
{
    const LayoutRect area =
        layout_geometry_fit(&self->area, (unsigned) GST_VIDEO_INFO_WIDTH(&picture->info),
                            (unsigned) GST_VIDEO_INFO_HEIGHT(&picture->info));

    if (!layout_geometry_is_equal(&area, &self->picture_area))
        picture_canvas_fill(canvas, &self->area, black);
    self->picture_area = area;
    picture_canvas_put(canvas, picture->buffer, &picture->info, &area, &self->scaler);
}

static bool
is_painted(const TileView *self, const LayoutRect *area, const TileState *state)
{
    const GstBuffer *buffer = state->picture != NULL ? state->picture->buffer : NULL;

    return self->is_painted && layout_geometry_is_equal(&self->area, area) &&
           self->picture == buffer &&
           (buffer != NULL || g_strcmp0(self->reason, state->reason) == 0);
}

void
tile_view_paint(TileView *self, PictureCanvas *canvas, const LayoutRect *area,
                const TileState *state)
{
    if (is_painted(self, area, state))
        return;
    if (!layout_geometry_is_equal(&self->area, area)) {
        g_clear_pointer(&self->caption_mask, text_mask_free);
        self->picture_area.width = 0;
    }
    self->is_painted = true;
    self->area = *area;
    gst_buffer_replace(&self->picture, state->picture != NULL ? state->picture->buffer : NULL);
    g_free(self->reason);
    self->reason = g_strdup(state->reason);
    if (state->picture != NULL) {
        paint_picture(self, canvas, state->picture);
    } else {
        paint_card(self, canvas, state);
    }
    paint_caption(self, canvas);
}

void
tile_view_forget(TileView *self)
{
    self->is_painted = false;
    self->picture_area.width = 0;
}

void
tile_view_free(TileView *self)
{
    if (self == NULL)
        return;
    gst_buffer_replace(&self->picture, NULL);
    picture_scaler_free(self->scaler);
    text_mask_free(self->caption_mask);
    g_free(self->caption);
    g_free(self->reason);
    g_free(self);
}
