#pragma once

#include "storage/spool_private.h"

/* Makes a replayed index honest: a gap stands for everything that is gone. */

/* Sets damaged segments aside, with a gap `corrupt`; fills holes that lost records left; closes
 * open sessions as interrupted, with a gap `interrupted` on every track up to one beat after the
 * last. Errors: IO, FULL. */
bool spool_mend(Spool *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Copies `n_bytes` of `file` at `offset` into `quarantine/`; again is no error. */
bool spool_mend_set_aside(Spool *self, SpoolFile *file, uint64_t offset, uint64_t n_bytes,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
