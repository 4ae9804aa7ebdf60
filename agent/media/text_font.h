#pragma once

#include <glib.h>
#include <stdint.h>

/* Turns a line of text into a picture of it, with the DejaVu Sans of the system. Reads that one
 * file; asks no font service and keeps no cache. One thread. */
typedef struct TextFont TextFont;

/* How much of each pixel the text covers, 0 to 255. */
typedef struct {
    int width, height;
    uint8_t *coverage;
} TextMask;

/* Errors: G_IO_ERROR_FAILED - the font is missing; the sentence names its Debian package. */
TextFont *text_font_open(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `text`: UTF-8; `size`: pixels from one line to the next would be about 1.2 of it.
 * Returns: owned; lines of one size are of one height. */
TextMask *text_font_draw(TextFont *self, const char *text, unsigned size);

void text_mask_free(TextMask *mask);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextMask, text_mask_free)

void text_font_free(TextFont *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextFont, text_font_free)
