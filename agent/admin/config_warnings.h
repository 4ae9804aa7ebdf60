#pragma once

#include "config/settings.h"

#include <glib.h>

/* What stands in settings that are good, and does not do what somebody may think. Returns:
 * sentences (char *), owned; none where there is nothing to say. */
GPtrArray *config_warnings(const Settings *settings);
