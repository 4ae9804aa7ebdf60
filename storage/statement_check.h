#pragma once

#include "storage/annotation_log.h"

/* Whether the sealed statements of a recording, `said/<digest>.sealed`, are those that its
 * annotations name: no key is needed. Of what is being erased nothing is said.
 * `log`: what was read of the annotations. */
void statement_check(const AnnotationCheck *check, const AnnotationLog *log);
