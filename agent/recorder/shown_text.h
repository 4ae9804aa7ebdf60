#pragma once

/* Returns: `text` of somebody else's as a sentence may quote it, owned: at most 40 characters, none
 * of which ends a line or steers a terminal. */
char *shown_text(const char *text);
