#pragma once

#include <glib.h>
#include <stdbool.h>

/* Why there is nothing to be seen or heard, in words for who watches the recording. Pure. */

typedef struct {
    char *headline; /* `Recording paused` */
    char *detail;   /* `consent withdrawn` */
} CardText;

/* What stands for a picture where the manifest has no gap. */
#define CARD_TEXT_SOUND_ONLY "-sound-only"
#define CARD_TEXT_NOT_YET    "-not-yet"
#define CARD_TEXT_DAMAGED    "-damaged"
#define CARD_TEXT_NOT_THERE  "-not-there"
#define CARD_TEXT_NOBODY     "-nobody"

/* Of the manifest's `reason` ([a-z-]+) for a gap, or one of the above. One that is not in the table
 * is shown by its own words. `is_video`: what is missing is a picture, otherwise sound. Both texts
 * are the caller's. */
void card_text_of_gap(CardText *self, const char *reason, bool is_video);

void card_text_clear(CardText *self);
