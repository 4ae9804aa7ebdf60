#pragma once

#include "storage/spool_index.h"

/* Appends to `log` the records that would make `index` again: what each log file starts with. A
 * segment whose bytes were never flushed is left out; the spool writes it again behind. `file`:
 * number of the file that this is the head of. */
void spool_restate(const SpoolIndex *index, uint64_t file, GByteArray *log);
