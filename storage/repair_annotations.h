#pragma once

#include "storage/repair_place.h"

/* Step 5 of a repair: annotations from 1 on, each genuine and behind the one before, up to the
 * first that nobody has; and the sealed statements that they name, by their digests. */
void repair_annotations(const RepairPlace *self);
