#pragma once

#include "config/config_file.h"
#include "config/settings.h"

#include <stdbool.h>

/* Fills `self->replicas` from the files that `store.replicas` of `file` names: each holds one group
 * `store` and nothing else, with no replicas of its own. Two stores at one place are a fault: the
 * second would be no copy. Errors: any CONFIG_ERROR. */
bool replica_settings_read(StoreSettings *self, const ConfigFile *file,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
