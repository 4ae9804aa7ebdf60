#pragma once

#include <stdbool.h>

/* Whether `text` is the code of a country (ISO 3166-1, as `US`; so `GB`, not `UK`) or of a part of
 * one (ISO 3166-2, as `US-CA`). Parts are known by name for the US; of others the form counts. */
bool place_code_is_valid(const char *text);
