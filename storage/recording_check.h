#pragma once

#include "storage/manifest.h"

/* Whether an amended `part` does no more than it may: it names tracks of text, and lists their
 * segments and ends. What was recorded is none of its business. */
bool recording_is_amendment(const ManifestPart *part);

/* What a whole manifest must say to make sense, whoever signed it: pure, reads no object. Adds
 * RecordingFinding to `findings`. */
void recording_check_manifest(const ManifestPart *manifest, GPtrArray *findings);
