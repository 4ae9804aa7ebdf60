#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* WebVTT, as far as what was said needs it: who said what from when to when. Reads what recognisers
 * write, strictly where times and structure are concerned, and leaves out what is looks alone
 * (styles, positions, markup); writes one form. Pure. */

typedef struct {
    int64_t start_us, end_us; /* end after start */
    char *voice;              /* who speaks: the annotation of `<v ...>`; NULL: not said */
    char *text;               /* plain: no markup, no entity, no empty line; not empty */
} WebVttCue;

/* Most cues of one file, and most bytes of one cue. */
#define WEB_VTT_MAX_CUES       100000
#define WEB_VTT_MAX_TEXT_BYTES (1 << 20)

/* Returns: GPtrArray of WebVttCue (owned), in the order of the file.
 * Errors: G_IO_ERROR_INVALID_DATA - `line 7: ...`; never repeats what is said there. */
GPtrArray *web_vtt_parse(const char *text, size_t n_bytes,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: the file, owned; the same cues give the same bytes, and parse to the same cues. */
char *web_vtt_write(const GPtrArray *cues);

/* `text` becomes what a cue may hold: line ends, controls and spaces in a row become one space.
 * Returns: owned; empty where there is nothing to say. */
char *web_vtt_clean(const char *text);

WebVttCue *web_vtt_cue_new(int64_t start_us, int64_t end_us, const char *voice, const char *text);
void web_vtt_cue_free(WebVttCue *self);
