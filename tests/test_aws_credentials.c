#include "crypto/crypto_error.h"
#include "storage/aws_credentials.h"
#include "storage/storage_error.h"

#include <string.h>

static AwsCredentials *
parse(const char *text, GError **error)
{
    g_autoptr(Secret) secret = secret_new_zero(strlen(text), error);

    g_assert_nonnull(secret);
    memcpy(secret_bytes(secret), text, strlen(text));
    return aws_credentials_parse(secret, "/etc/keys", error);
}

static void
test_reads_files(void)
{
    static const struct {
        const char *text;
        const char *token;
    } rows[] = {
        {"aws_access_key_id = AK\naws_secret_access_key = s/+=\n", NULL },
        {"aws_secret_access_key=s/+=\r\naws_access_key_id=AK",     NULL },
        {"# a remark\n[default]\n\n  aws_access_key_id\t= AK \naws_secret_access_key = s/+=\n"
         "aws_session_token = t==\n",                     "t=="},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AwsCredentials) credentials = parse(rows[i].text, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(credentials->access_key_id, ==, "AK");
        g_assert_cmpmem(secret_peek(credentials->secret), (int) secret_length(credentials->secret),
                        "AWS4s/+=", 8);
        g_assert_cmpstr(credentials->session_token, ==, rows[i].token);
    }
}

static void
test_refuses_what_is_no_credential(void)
{
    static const char *const rows[] = {
        "\n",
        "aws_access_key_id = AK",
        "aws_secret_access_key = s",
        "aws_access_key_id =\naws_secret_access_key = s",
        "aws_access_key_id = AK\naws_secret_access_key = s\nrole_arn = r",
        "aws_access_key_id = AK\naws_access_key_id = AK\naws_secret_access_key = s",
        "aws_access_key_id = A K\naws_secret_access_key = s",
        "aws_access_key_id = AK\x01\naws_secret_access_key = s",
        "AK:secret",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AwsCredentials) credentials = parse(rows[i], &error);

        g_assert_null(credentials);
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
        g_assert_true(g_str_has_prefix(error->message, "/etc/keys: "));
    }
}

/* A header of ours can not be split by what stands in the environment. */
static void
test_refuses_line_breaks(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(aws_credentials_new("AK", "s", "t\r\nx-amz-acl: public-read", &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/aws_credentials/reads-files", test_reads_files);
    g_test_add_func("/aws_credentials/refuses-what-is-no-credential",
                    test_refuses_what_is_no_credential);
    g_test_add_func("/aws_credentials/refuses-line-breaks", test_refuses_line_breaks);
    return g_test_run();
}
