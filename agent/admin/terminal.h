#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What standard output and standard error can show. */

/* Returns: the terminal's width, 80 where standard output is none; 40 to 200. */
unsigned terminal_width(void);

/* Whether the locale's characters are UTF-8. */
bool terminal_is_utf8(void);

/* Returns: `1.2 MB`, in plain ASCII, owned. */
char *terminal_size_text(uint64_t n_bytes);

/* A progress bar on standard error, if that is a terminal; nothing otherwise. `label`: one word,
 * `verifying`. */
void terminal_progress(const char *label, double part_done);

/* Takes the bar away, so that what follows has a clean line. */
void terminal_progress_end(void);
