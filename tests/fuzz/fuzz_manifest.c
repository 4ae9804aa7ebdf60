#include "storage/manifest.h"
#include "storage/recording_check.h"
#include "storage/recording_private.h"

#include <string.h>

/* What is accepted is written again byte for byte, and a whole manifest of it can be checked. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    g_autoptr(ManifestPart) part = manifest_part_parse(text, NULL);
    g_autoptr(GPtrArray) findings = recording_new_findings();
    g_autofree char *again = part == NULL ? NULL : manifest_part_to_text(part);

    if (part == NULL)
        return 0;
    g_assert_cmpstr(again, ==, text);
    recording_check_manifest(part, findings);
    return 0;
}
