#pragma once

#include "storage/annotation_log.h"

#include <jansson.h>

/* What a recording's annotations say, as `session show` tells it. */

/* Returns: `{"holds": [...], "released": ..., ..., "list": [...]}`, owned. */
json_t *annotation_facts_to_json(const AnnotationLog *log);

/* Prints what holds now, one line each, and nothing where there are no annotations. */
void annotation_facts_print(const AnnotationLog *log);
