#include "agent/recorder/srtp_key.h"
#include "tests/fakes/srtp_sender.h"

#include <string.h>

#define CM  "AES_CM_128_HMAC_SHA1_80"
#define GCM "AEAD_AES_128_GCM"
#define KEY "4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm"

static void
test_reads_key_and_salt(void)
{
    static const uint8_t expected[] = {0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f,
                                       0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39, 0x0e, 0xc6, 0x75, 0xad,
                                       0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6};
    g_autoptr(SrtpKey) key = srtp_sender_key(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80);
    g_autoptr(SrtpKey) large = srtp_sender_key(SRTP_SUITE_AEAD_AES_256_GCM);

    g_assert_cmpint(srtp_key_suite(key), ==, SRTP_SUITE_AES_CM_128_HMAC_SHA1_80);
    g_assert_cmpuint(secret_length(srtp_key_secret(key)), ==, sizeof(expected));
    g_assert_true(memcmp(secret_peek(srtp_key_secret(key)), expected, sizeof(expected)) == 0);
    g_assert_cmpint(srtp_key_suite(large), ==, SRTP_SUITE_AEAD_AES_256_GCM);
    g_assert_cmpuint(secret_length(srtp_key_secret(large)), ==, 44);
}

static void
test_overwrites_the_text_it_read(gconstpointer data)
{
    json_t *form = srtp_sender_form(data, KEY);
    const char *text = json_string_value(json_object_get(form, "key"));
    static const char nothing[sizeof(KEY) - 1] = {0};
    g_autofree char *fault = NULL;
    g_autoptr(SrtpKey) key = srtp_key_parse(form, &fault);

    g_assert_true((key == NULL) == (strcmp(data, CM) != 0));
    g_assert_true(memcmp(text, nothing, sizeof(nothing)) == 0);
    json_decref(form);
}

static const struct {
    const char *form;
    const char *named;
} faults[] = {
    {"[]",                                                                          "\"srtp\" must be an object"   },
    {"\"" KEY "\"",                                                                 "\"srtp\" must be an object"   },
    {"null",                                                                        "\"srtp\" must be an object"   },
    {"{\"key\":\"" KEY "\"}",                                                       "\"suite\" must be one of"     },
    {"{\"suite\":\"AES_CM_128_HMAC_SHA1_32\",\"key\":\"" KEY "\"}",                 CM                             },
    {"{\"suite\":\"aes_cm_128_hmac_sha1_80\",\"key\":\"" KEY "\"}",                 CM                             },
    {"{\"suite\":\"NULL\",\"key\":\"" KEY "\"}",                                    "\"suite\" must be one of"     },
    {"{\"suite\":7,\"key\":\"" KEY "\"}",                                           "\"suite\" must be one of"     },
    {"{\"suite\":\"" CM "\"}",                                                      "30 bytes for " CM             },
    {"{\"suite\":\"" CM "\",\"key\":7}",                                            "\"key\" must be the base64"   },
    {"{\"suite\":\"" CM "\",\"key\":null}",                                         "\"key\" must be the base64"   },
    {"{\"suite\":\"" CM "\",\"key\":\"\"}",                                         "30 bytes for " CM             },
    {"{\"suite\":\"" CM "\",\"key\":\"4fl6DT4Bi+DWT6MsBt5BOQ==\"}",                 "30 bytes for " CM             },
    {"{\"suite\":\"" CM "\",\"key\":\"" KEY "AAAA\"}",                              "30 bytes for " CM             },
    {"{\"suite\":\"" CM "\",\"key\":\"" KEY "\\n\"}",                               "30 bytes for " CM             },
    {"{\"suite\":\"" CM "\",\"key\":\"" KEY "\\u0000\"}",                           "30 bytes for " CM             },
    {"{\"suite\":\"" CM "\",\"key\":\" " KEY "\"}",                                 "30 bytes for " CM             },
    {"{\"suite\":\"" CM "\",\"key\":\"4fl6DT4Bi-DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm\"}",
     "30 bytes for " CM                                                                                            },
    {"{\"suite\":\"" GCM "\",\"key\":\"" KEY "\"}",                                 "28 bytes for " GCM            },
    {"{\"suite\":\"" GCM "\",\"key\":\"AAECAwQFBgcICQoLDA0OD6ChoqOkpaanqKmqqw\"}",
     "28 bytes for " GCM                                                                                           },
    {"{\"suite\":\"AEAD_AES_256_GCM\",\"key\":\"" KEY "\"}",                        "44 bytes for AEAD_AES_256_GCM"},
    {"{\"suite\":\"" CM "\",\"key\":\"" KEY "\",\"mki\":1}",                        "\"mki\" is not a known member"},
    {"{\"suite\":\"" CM "\",\"key\":\"" KEY "\",\"Key\":\"\"}",                     "\"Key\" is not a known member"},
};

static void
test_names_what_is_wrong_but_not_the_key(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        json_t *form = json_loads(faults[i].form, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        g_autofree char *fault = NULL;

        g_assert_nonnull(form);
        g_assert_null(srtp_key_parse(form, &fault));
        if (fault == NULL || strstr(fault, faults[i].named) == NULL)
            g_error("%s: \"%s\" does not say %s", faults[i].form, fault, faults[i].named);
        g_assert_null(strstr(fault, "4fl6"));
        json_decref(form);
    }
}

static void
test_a_wiped_key_still_wants_srtp(void)
{
    g_autoptr(SrtpKey) key = srtp_sender_key(SRTP_SUITE_AEAD_AES_128_GCM);

    srtp_key_wipe(key);

    g_assert_null(srtp_key_secret(key));
    g_assert_cmpint(srtp_key_suite(key), ==, SRTP_SUITE_AEAD_AES_128_GCM);
    srtp_key_wipe(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/srtp-key/reads-key-and-salt", test_reads_key_and_salt);
    g_test_add_data_func("/srtp-key/overwrites-the-text-it-read", CM,
                         test_overwrites_the_text_it_read);
    g_test_add_data_func("/srtp-key/overwrites-the-text-it-refused", GCM,
                         test_overwrites_the_text_it_read);
    g_test_add_func("/srtp-key/names-what-is-wrong-but-not-the-key",
                    test_names_what_is_wrong_but_not_the_key);
    g_test_add_func("/srtp-key/a-wiped-key-still-wants-srtp", test_a_wiped_key_still_wants_srtp);
    return g_test_run();
}
