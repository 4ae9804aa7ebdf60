#pragma once

#include "agent/opener/opener.h"

/* Returns: the opener's metrics as Prometheus text, owned. No names, no ids. */
char *access_metrics_text(Opener *opener);
