#pragma once

#include "config/settings.h"

/* Whether an organisation's `regions` hold every store to the region of the settings: one number,
 * shared by the stores that were opened and all versions of the settings since, so that a rule
 * which comes while they are open counts at once. */

/* Makes it, for `store` and its replicas. Inside config/ only. */
void region_rule_make(StoreSettings *store);

/* Holds what was opened by `before` to what `now` says, which shares it from here on. */
void region_rule_pass_on(const Settings *before, Settings *now);
