#pragma once

#include <stdbool.h>

/* What an organisation is handed when it leaves, or asks for all it has: a folder, and in it a
 * folder for each session, whose last file says that the others are whole. */

#define OFFBOARD_COMPLETE "complete"

/* Whether `session` was exported into `folder`, to its end. */
bool offboard_is_exported(const char *folder, const char *session);
