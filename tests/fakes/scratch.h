#pragma once

/* Returns: a new folder of a test's own, which lies where the system keeps what is temporary.
 * Owned: scratch_remove(). */
char *scratch_new(const char *name);

/* Removes the folder and all that lies in it (a symbolic link, not what it points to), and frees
 * its name. */
void scratch_remove(char *folder);
