#pragma once

#include "config/settings.h"

#include <glib.h>

/* What is to be done about the recordings of a host, in the Prometheus text format: how old keys
 * are, and what the last look at retention found. Of all organisations together, for no label may
 * name one. */

/* Adds to `text`. Reads the key rings anew each time, so that a rotation or drill shows at once. */
void duty_metrics_add(GString *text, const Settings *settings);
