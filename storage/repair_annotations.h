#pragma once

#include "storage/repair_place.h"
#include "storage/reseal_chain.h"

/* Step 6 of a repair: annotations from 1 on, each genuine and behind the one before, up to the
 * first that nobody has; and the sealed statements that they name, by their digests, but those that
 * a sealing anew replaced. */
void repair_annotations(const RepairPlace *self, const ResealChain *resealed);
