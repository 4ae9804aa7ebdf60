#pragma once

#include "agent/recorder/recorder.h"

/* Returns: the recorder's counters in the Prometheus text format 0.0.4, owned. Main thread. */
char *metrics_text(Recorder *recorder);
