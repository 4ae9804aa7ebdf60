#pragma once

#include <glib.h>
#include <stdbool.h>

/* Reads S3's XML answers, strictly: one root of the expected name, well-formed to the last byte,
 * bounded depth, no text beside elements. `path`: names below the root joined by `/`, as
 * `Contents/Key`; `text`: of an element without elements, without surrounding spaces. Both are
 * borrowed for the call. Returning false ends the reading as a failure. */
typedef bool (*S3XmlLeaf)(const char *path, const char *text, void *user_data);

/* Errors: CORRUPT - no such document. */
bool s3_xml_read(GBytes *xml, const char *root, S3XmlLeaf on_leaf, void *user_data,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
