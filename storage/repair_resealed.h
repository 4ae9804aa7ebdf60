#pragma once

#include "storage/repair_place.h"
#include "storage/reseal_chain.h"

/* Of a session that was sealed anew: the notes on that, from 1 on, each genuine and behind the one
 * before, up to the first that nobody has. Returns: them, owned. */
ResealChain *repair_resealed_notes(const RepairPlace *self);

/* What the newest of them names beside the media, by its digest. */
void repair_resealed_beside(const RepairPlace *self, const ResealChain *resealed);

/* What does not fit is for `verify` to name: nothing genuine is found for it here. */
ResealReading repair_resealed_reading(const RepairPlace *self);
