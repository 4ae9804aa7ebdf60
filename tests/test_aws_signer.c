#include "crypto/crypto_error.h"
#include "crypto/digest.h"
#include "storage/aws_signer.h"

#include <string.h>

/* The worked examples of AWS's page "Signature Calculations for the Authorization Header:
 * Transferring Payload in a Single Chunk": 24 May 2013, 00:00:00 UTC, in us-east-1. */
enum { EXAMPLE_UNIX = 1369353600 };

static AwsCredentials *
credentials_for_test(const char *token)
{
    g_autoptr(GError) error = NULL;
    AwsCredentials *credentials = aws_credentials_new(
        "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", token, &error);

    g_assert_no_error(error);
    return credentials;
}

static void
set_payload(AwsRequest *request, const char *payload)
{
    const Digest digest = digest_of(payload, strlen(payload));

    g_free(request->payload_sha256);
    request->payload_sha256 = digest_to_hex(&digest);
}

static const char *
header_of(const AwsRequest *request, const char *name)
{
    const char *found = NULL;

    for (guint i = 0; i < request->headers->len; i++) {
        const AwsField *field = g_ptr_array_index(request->headers, i);

        if (strcmp(field->name, name) == 0) {
            g_assert_null(found); /* never twice */
            found = field->value;
        }
    }
    return found;
}

typedef struct {
    const char *method;
    const char *path;
    const char *query[2][2];
    const char *headers[2][2];
    const char *payload;
    const char *signed_headers;
    const char *signature;
} Example;

static const Example examples[] = {
    {"GET",
     "/test.txt",       {{NULL}},
     {{"Range", "bytes=0-9"}},
     "",                      "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT",
     "/test$file.text", {{NULL}},
     {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "Welcome to Amazon S3.", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET",
     "/",               {{"lifecycle", ""}},
     {{NULL}},
     "",                      "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET",
     "/",               {{"prefix", "J"}, {"max-keys", "2"}},
     {{NULL}},
     "",                      "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static AwsRequest *
request_for_example(const Example *example)
{
    AwsRequest *request =
        aws_request_new(example->method, "examplebucket.s3.amazonaws.com", example->path);

    for (size_t i = 0; i < 2 && example->query[i][0] != NULL; i++)
        aws_request_add_query(request, example->query[i][0], example->query[i][1]);
    for (size_t i = 0; i < 2 && example->headers[i][0] != NULL; i++)
        aws_request_add_header(request, example->headers[i][0], example->headers[i][1]);
    set_payload(request, example->payload);
    return request;
}

static void
sign(AwsSigner *signer, AwsRequest *request, AwsCredentials *credentials, int64_t now_unix)
{
    g_autoptr(GError) error = NULL;
    const AwsSigning signing = {credentials, "us-east-1", now_unix};

    g_assert_true(aws_signer_sign(signer, request, &signing, &error));
    g_assert_no_error(error);
}

static void
test_published_example(gconstpointer data)
{
    const Example *example = data;
    g_autoptr(AwsSigner) signer = aws_signer_new("s3");
    g_autoptr(AwsCredentials) credentials = credentials_for_test(NULL);
    g_autoptr(AwsRequest) request = request_for_example(example);
    g_autofree char *wanted =
        g_strdup_printf("AWS4-HMAC-SHA256 "
                        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                        "SignedHeaders=%s,Signature=%s",
                        example->signed_headers, example->signature);

    sign(signer, request, credentials, EXAMPLE_UNIX);
    g_assert_cmpstr(header_of(request, "authorization"), ==, wanted);

    /* Once more, as a retry does: nothing of the first try may be left over. */
    sign(signer, request, credentials, EXAMPLE_UNIX + 1);
    g_assert_cmpstr(header_of(request, "authorization"), !=, wanted);
    sign(signer, request, credentials, EXAMPLE_UNIX);
    g_assert_cmpstr(header_of(request, "authorization"), ==, wanted);
}

/* The kept key belongs to one day, region and pair of keys. */
static void
test_key_follows_day_and_credentials(void)
{
    g_autoptr(AwsSigner) kept = aws_signer_new("s3");
    g_autoptr(AwsCredentials) first = credentials_for_test(NULL);
    g_autoptr(AwsCredentials) second = credentials_for_test("token");
    AwsCredentials *const pairs[] = {first, second, first};

    for (int day = 0; day < 3; day++) {
        for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
            g_autoptr(AwsSigner) fresh = aws_signer_new("s3");
            g_autoptr(AwsRequest) a = request_for_example(&examples[0]);
            g_autoptr(AwsRequest) b = request_for_example(&examples[0]);
            const int64_t now = EXAMPLE_UNIX + day * 86400;

            sign(kept, a, pairs[i], now);
            sign(fresh, b, pairs[i], now);
            g_assert_cmpstr(header_of(a, "authorization"), ==, header_of(b, "authorization"));
            g_assert_cmpstr(header_of(a, "x-amz-security-token"), ==, pairs[i]->session_token);
        }
    }
}

static void
test_target_is_encoded_once(void)
{
    g_autoptr(AwsRequest) request = aws_request_new("GET", "h", "/a b/../%2F/\xc3\xa4+~//");
    g_autofree char *target = NULL;

    aws_request_add_query(request, "b", "x/=+ ");
    aws_request_add_query(request, "a", "");
    aws_request_add_query(request, "a-", "1");
    target = aws_request_target(request);

    g_assert_cmpstr(target, ==, "/a%20b/../%252F/%C3%A4%2B~//?a=&a-=1&b=x%2F%3D%2B%20");
}

static void
test_signs_what_no_proxy_alters(void)
{
    g_autoptr(AwsRequest) request = aws_request_new("PUT", "h", "/k");
    g_autofree char *names = NULL;
    g_autofree char *canonical = NULL;

    aws_request_add_header(request, "X-Amz-Meta-B", "  two   words\t ");
    aws_request_add_header(request, "Expect", "100-continue");
    aws_request_add_header(request, "User-Agent", "x");
    aws_request_add_header(request, "Content-MD5", "m");
    aws_request_add_header(request, "x-amz-meta-b", "again");
    aws_request_add_header(request, "If-None-Match", "*");
    request->payload_sha256 = g_strdup("hash");
    canonical = aws_request_canonical(request, &names);

    g_assert_cmpstr(names, ==, "content-md5;host;if-none-match;x-amz-meta-b");
    g_assert_cmpstr(canonical, ==,
                    "PUT\n/k\n\ncontent-md5:m\nhost:h\nif-none-match:*\n"
                    "x-amz-meta-b:two words,again\n\ncontent-md5;host;if-none-match;x-amz-meta-b\n"
                    "hash");
}

int
main(int argc, char **argv)
{
    static const char *const names[] = {"get-object", "put-object", "get-lifecycle",
                                        "list-objects"};
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autofree char *path = g_strconcat("/aws_signer/published-example/", names[i], NULL);

        g_test_add_data_func(path, &examples[i], test_published_example);
    }
    g_test_add_func("/aws_signer/key-follows-day-and-credentials",
                    test_key_follows_day_and_credentials);
    g_test_add_func("/aws_signer/target-is-encoded-once", test_target_is_encoded_once);
    g_test_add_func("/aws_signer/signs-what-no-proxy-alters", test_signs_what_no_proxy_alters);
    return g_test_run();
}
