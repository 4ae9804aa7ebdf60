#include "agent/media/text_font.h"

#include <freetype/freetype.h>
#include <gio/gio.h>
#include <stdbool.h>

#define FONT_FILE    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
#define FONT_PACKAGE "fonts-dejavu-core"
#define MAX_WIDTH    4096

struct TextFont {
    FT_Library library;
    FT_Face face;
};

TextFont *
text_font_open(GError **error)
{
    g_autoptr(TextFont) self = g_new0(TextFont, 1);

    if (FT_Init_FreeType(&self->library) != 0) {
        self->library = NULL;
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot start FreeType");
        return NULL;
    }
    if (FT_New_Face(self->library, FONT_FILE, 0, &self->face) != 0) {
        self->face = NULL;
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "the font %s is missing: install the package %s", FONT_FILE, FONT_PACKAGE);
        return NULL;
    }
    return g_steal_pointer(&self);
}

static int
measure(TextFont *self, const char *text)
{
    int width = 0;

    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        if (FT_Load_Char(self->face, g_utf8_get_char(at), FT_LOAD_DEFAULT) == 0)
            width += (int) (self->face->glyph->advance.x >> 6);
    }
    return CLAMP(width, 1, MAX_WIDTH);
}

static void
copy_glyph(TextMask *mask, const FT_GlyphSlot glyph, int x, int y)
{
    for (int row = 0; row < (int) glyph->bitmap.rows; row++) {
        for (int column = 0; column < (int) glyph->bitmap.width; column++) {
            const uint8_t cover = glyph->bitmap.buffer[row * glyph->bitmap.pitch + column];
            const bool is_inside = x + column >= 0 && x + column < mask->width && y + row >= 0 &&
                                   y + row < mask->height;
            uint8_t *pixel = mask->coverage + (size_t) (y + row) * mask->width + x + column;

            if (is_inside)
                *pixel = MAX(*pixel, cover);
        }
    }
}

TextMask *
text_font_draw(TextFont *self, const char *text, unsigned size)
{
    TextMask *mask = g_new0(TextMask, 1);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    int ascent = 0;
    int x = 0;

    (void) FT_Set_Pixel_Sizes(self->face, 0, size); /* DejaVu has every size */
    ascent = (int) (self->face->size->metrics.ascender >> 6);
    mask->width = measure(self, valid);
    mask->height = ascent - (int) (self->face->size->metrics.descender >> 6);
    mask->coverage = g_malloc0((size_t) mask->width * mask->height);
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        const FT_GlyphSlot glyph = self->face->glyph;

        if (FT_Load_Char(self->face, g_utf8_get_char(at), FT_LOAD_RENDER) != 0)
            continue;
        copy_glyph(mask, glyph, x + glyph->bitmap_left, ascent - glyph->bitmap_top);
        x += (int) (glyph->advance.x >> 6);
    }
    return mask;
}

void
text_mask_free(TextMask *mask)
{
    if (mask == NULL)
        return;
    g_free(mask->coverage);
    g_free(mask);
}

void
text_font_free(TextFont *self)
{
    if (self == NULL)
        return;
    if (self->face != NULL)
        (void) FT_Done_Face(self->face);
    if (self->library != NULL)
        (void) FT_Done_FreeType(self->library);
    g_free(self);
}
