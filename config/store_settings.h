#pragma once

#include "config/config_file.h"
#include "config/settings.h"

#include <stdbool.h>

/* What may stand under `store`; ends with a NULL name. */
extern const ConfigRule store_settings_rules[];

/* Fills `self`, which is zero. A setting of another type of store is a fault, and so is a store
 * elsewhere that no agreement covers. Errors: CONFIG_ERROR_INVALID. */
bool store_settings_read(StoreSettings *self, const ConfigFile *file,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees what `self` holds. */
void store_settings_clear(StoreSettings *self);
