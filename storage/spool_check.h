#pragma once

#include "storage/spool_record.h"

/* Refuses what no manifest may say, before it is in the log: a manifest is signed text with one
 * spelling, and what came in would stay in for good. Pure. Errors: CORRUPT - names the value. */
bool spool_check_record(const SpoolRecord *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;
