#include "storage/aws_request.h"

#include <stdint.h>
#include <string.h>

/* Any path, query and header: the target holds nothing that would end a request line, decodes to
 * what went in, and a canonical request has a line for each of its parts and no more. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static guint
count_lines(const char *text)
{
    guint n_lines = 1;

    for (; *text != '\0'; text++)
        n_lines += *text == '\n';
    return n_lines;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    g_auto(GStrv) words = g_strsplit(text, "\n", 8);
    const guint n_words = g_strv_length(words);
    g_autofree char *path = g_strconcat("/", n_words > 0 ? words[0] : "", NULL);
    g_autoptr(AwsRequest) request = aws_request_new("GET", "host", path);
    g_autofree char *names = NULL;
    g_autofree char *canonical = NULL;
    g_autofree char *target = NULL;
    g_autofree char *target_path = NULL;
    g_autofree char *decoded = NULL;

    request->payload_sha256 = g_strdup("hash");
    for (guint i = 1; i + 1 < n_words; i += 2) {
        aws_request_add_query(request, words[i], words[i + 1]);
        aws_request_add_header(request, "x-amz-meta-a", words[i + 1]);
    }
    target = aws_request_target(request);
    canonical = aws_request_canonical(request, &names);

    g_assert_true(strspn(target, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                 "-._~/%?&=") == strlen(target));
    target_path = g_strndup(target, strcspn(target, "?"));
    decoded = g_uri_unescape_string(target_path, NULL);
    if (g_utf8_validate(path, -1, NULL))
        g_assert_cmpstr(decoded, ==, path);
    g_assert_cmpuint(count_lines(canonical), ==, 7 + (n_words >= 3 ? 1 : 0));
    return 0;
}
