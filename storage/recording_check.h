#pragma once

#include "storage/manifest.h"

/* What a whole manifest must say to make sense, whoever signed it: pure, reads no object. Adds
 * RecordingFinding to `findings`. */
void recording_check_manifest(const ManifestPart *manifest, GPtrArray *findings);
