#pragma once

#include <termios.h>

/* What has to be put right if the person presses Ctrl-C at the wrong moment. One of each at a time.
 */

/* Deletes `path` (borrowed) when a signal ends the program; NULL for no longer. */
void undo_remove_file(const char *path);

/* Sets the terminal `fd` back to `settings` (borrowed) when a signal ends the program; NULL for no
 * longer. */
void undo_restore_terminal(int fd, const struct termios *settings);
