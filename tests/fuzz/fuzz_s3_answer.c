#include "storage/s3_fault.h"
#include "storage/s3_xml.h"

#include <string.h>

/* An answer of a store that may be anybody: XML reading ends, tells each leaf as valid text inside
 * a bounded path, and an error becomes one printable sentence. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static bool
on_leaf(const char *path, const char *text, void *user_data)
{
    const size_t n_path = strlen(path);

    g_assert_true(n_path > 0 && path[0] != '/' && path[n_path - 1] != '/');
    g_assert_true(g_utf8_validate(text, -1, NULL));
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(GBytes) body = g_bytes_new(data, n_bytes);
    g_autoptr(GError) error = NULL;
    HttpResponse response = {.status = n_bytes % 2 == 0 ? 403 : 200, .body = body};
    const bool is_list = s3_xml_read(body, "ListBucketResult", on_leaf, NULL, &error);

    g_assert_true(is_list == (error == NULL));
    response.headers = g_hash_table_new(g_str_hash, g_str_equal);
    S3Fault *fault = s3_fault_read(&response);
    for (const char *c = fault->sentence; *c != '\0'; c++)
        g_assert_true(g_ascii_isprint(*c));
    g_assert_false(is_list && s3_fault_is_error(body));
    s3_fault_free(fault);
    g_hash_table_unref(response.headers);
    return 0;
}
