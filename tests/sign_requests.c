/* Signs requests for a test that compares with another signer. A line on standard input is one
 * request: words parted by tabs, each in hexadecimal: method, host, path, payload hash, region,
 * seconds, access key id, secret, token, then `q`/`h`, name, value for each query parameter and
 * header. A line of the answer is the target, a tab and the authorization header. */
#include "crypto/crypto_error.h"
#include "storage/aws_signer.h"

#include <stdio.h>
#include <string.h>

enum { METHOD, HOST, PATH, HASH, REGION, SECONDS, ID, SECRET, TOKEN, N_FIXED };

static char *
decode(const char *hex)
{
    GString *text = g_string_new(NULL);

    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2)
        g_string_append_c(
            text, (char) (g_ascii_xdigit_value(hex[0]) * 16 + g_ascii_xdigit_value(hex[1])));
    return g_string_free(text, FALSE);
}

static void
sign_line(AwsSigner *signer, char *line)
{
    g_auto(GStrv) words = g_strsplit(line, "\t", -1);
    const guint n_words = g_strv_length(words);
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsCredentials) credentials = NULL;
    g_autoptr(AwsRequest) request = NULL;
    g_autofree char *target = NULL;

    for (guint i = 0; i < n_words; i++) {
        char *text = decode(words[i]);

        g_free(words[i]);
        words[i] = text;
    }
    g_assert_cmpuint(n_words, >=, N_FIXED);
    credentials = aws_credentials_new(words[ID], words[SECRET],
                                      words[TOKEN][0] ? words[TOKEN] : NULL, &error);
    g_assert_no_error(error);
    request = aws_request_new(words[METHOD], words[HOST], words[PATH]);
    request->payload_sha256 = g_strdup(words[HASH]);
    for (guint i = N_FIXED; i + 2 < n_words; i += 3) {
        if (words[i][0] == 'q')
            aws_request_add_query(request, words[i + 1], words[i + 2]);
        else
            aws_request_add_header(request, words[i + 1], words[i + 2]);
    }
    g_assert_true(aws_signer_sign(
        signer, request,
        &(AwsSigning){credentials, words[REGION], g_ascii_strtoll(words[SECONDS], NULL, 10)},
        &error));
    target = aws_request_target(request);
    for (guint i = 0; i < request->headers->len; i++) {
        const AwsField *field = g_ptr_array_index(request->headers, i);

        if (strcmp(field->name, "authorization") == 0)
            g_print("%s\t%s\n", target, field->value);
    }
}

int
main(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsSigner) signer = aws_signer_new("s3");
    char *line = NULL;
    size_t size = 0;

    g_assert_true(crypto_start(&error));
    while (getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        sign_line(signer, line);
    }
    free(line);
    return 0;
}
