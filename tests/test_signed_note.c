#include "crypto/crypto_error.h"
#include "crypto/signed_note.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

/* The example of the reference implementation, golang.org/x/mod/sumdb/note. */
#define SIGNER   "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define VERIFIER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define TEXT                                                                                       \
    "If you think cryptography is the answer to your problem,\n"                                   \
    "then you don't know what your problem is.\n"
#define DASH "\xe2\x80\x94 "
#define SIGNATURE                                                                                  \
    DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngo"  \
         "tpRZb6KE6RyyBwJnAM=\n"
#define NOTE TEXT "\n" SIGNATURE
#define STRANGE                                                                                    \
    DASH "EnochRoot "                                                                              \
         "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/"                                            \
         "5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"

static GPtrArray *
verifiers_of(const char *key)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *verifiers = g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);

    g_ptr_array_add(verifiers, note_verifier_parse(key, &error));
    g_assert_no_error(error);
    return verifiers;
}

static void
test_agrees_with_the_reference_implementation(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) text = age_fixture_secret(SIGNER "\n");

    g_autoptr(NoteSigner) signer = note_signer_parse(text, &error);
    g_assert_no_error(error);
    g_autofree char *verifier_key = note_signer_verifier_key(signer);
    g_autofree char *note = note_sign(signer, TEXT);
    g_autoptr(Secret) again = note_signer_to_text(signer, &error);

    g_assert_cmpstr(verifier_key, ==, VERIFIER);
    g_assert_cmpstr(note, ==, NOTE);
    g_assert_cmpuint(secret_length(again), ==, secret_length(text));
    g_assert_true(memcmp(secret_peek(again), secret_peek(text), secret_length(text)) == 0);
}

static void
test_opens_what_a_new_key_signed(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteSigner) signer = note_signer_generate("host-1.example/recorder", &error);
    g_assert_no_error(error);
    g_autofree char *key = note_signer_verifier_key(signer);
    g_autofree char *note = note_sign(signer, "line one\n\nline three\n\n");
    g_autoptr(GPtrArray) verifiers = verifiers_of(key);

    g_autofree char *text = note_open(note, strlen(note), verifiers, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "line one\n\nline three\n\n");
    g_assert_cmpstr(note_verifier_name(g_ptr_array_index(verifiers, 0)), ==,
                    "host-1.example/recorder");
}

static void
test_tells_apart_the_ways_to_be_wrong(void)
{
    static const struct {
        const char *name;
        const char *note;
        int code; /* -1: opens */
    } rows[] = {
        {"whole",                   NOTE,                                                      -1                         },
        {"other signature besides", NOTE STRANGE,                                              -1                         },
        {"other signature before",  TEXT "\n" STRANGE SIGNATURE,                               -1                         },
        {"signed twice",            NOTE SIGNATURE,                                            -1                         },
        {"text changed",            "x" NOTE,                                                  CRYPTO_ERROR_AUTHENTICATION},
        {"text cut",                "then you don't know what your problem is.\n\n" SIGNATURE,
         CRYPTO_ERROR_AUTHENTICATION                                                                                      },
        {"line added",              TEXT "x\n\n" SIGNATURE,                                    CRYPTO_ERROR_AUTHENTICATION},
        {"empty line added",        TEXT "\n\n" SIGNATURE,                                     CRYPTO_ERROR_AUTHENTICATION},
        {"one of two is wrong",
         NOTE DASH
         "PeterNeumann x08gowAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
         "AAAAAAAAAAAAAAAAAAA=\n",                                                             CRYPTO_ERROR_AUTHENTICATION},
        {"signature too short",     TEXT "\n" DASH "PeterNeumann x08goww=\n",
         CRYPTO_ERROR_AUTHENTICATION                                                                                      },
        {"other's signature",       TEXT "\n" STRANGE,                                         CRYPTO_ERROR_NO_MATCH      },
        {"our name, other id",      TEXT "\n" DASH "PeterNeumann AAAAAAA=\n",                  CRYPTO_ERROR_NO_MATCH      },
        {"nothing",                 "",                                                        CRYPTO_ERROR_MALFORMED     },
        {"no signature",            TEXT,                                                      CRYPTO_ERROR_MALFORMED     },
        {"no signature below",      TEXT "\n",                                                 CRYPTO_ERROR_MALFORMED     },
        {"no empty line",           TEXT SIGNATURE,                                            CRYPTO_ERROR_MALFORMED     },
        {"hyphen for dash",         TEXT "\n- PeterNeumann x08goww=\n",                        CRYPTO_ERROR_MALFORMED     },
        {"no name",                 TEXT "\n" DASH " x08goww=\n",                              CRYPTO_ERROR_MALFORMED     },
        {"name with plus",          TEXT "\n" DASH "Peter+N x08goww=\n",                       CRYPTO_ERROR_MALFORMED     },
        {"no signature in line",    TEXT "\n" DASH "PeterNeumann\n",                           CRYPTO_ERROR_MALFORMED     },
        {"signature of id only",    TEXT "\n" DASH "PeterNeumann x08gow==\n",                  CRYPTO_ERROR_MALFORMED     },
        {"not base64",              TEXT "\n" DASH "PeterNeumann x08go_w=\n",                  CRYPTO_ERROR_MALFORMED     },
        {"space behind",            TEXT "\n" DASH "PeterNeumann x08goww= \n",                 CRYPTO_ERROR_MALFORMED     },
        {"no newline at the end",   TEXT "\n" DASH "PeterNeumann x08goww=",                    CRYPTO_ERROR_MALFORMED     },
        {"CR",                      TEXT "\n" DASH "PeterNeumann x08goww=\r\n",                CRYPTO_ERROR_MALFORMED     },
        {"tab in text",             "\t" NOTE,                                                 CRYPTO_ERROR_MALFORMED     },
        {"not UTF-8",               "\xff" NOTE,                                               CRYPTO_ERROR_MALFORMED     },
    };
    g_autoptr(GPtrArray) verifiers = verifiers_of(VERIFIER);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", rows[i].name);

        g_autofree char *text = note_open(rows[i].note, strlen(rows[i].note), verifiers, &error);

        if (rows[i].code < 0) {
            g_assert_no_error(error);
            g_assert_cmpstr(text, ==, TEXT);
        } else {
            g_assert_null(text);
            g_assert_error(error, CRYPTO_ERROR, rows[i].code);
        }
    }
}

static void
test_every_flipped_bit_is_noticed(void)
{
    g_autoptr(GPtrArray) verifiers = verifiers_of(VERIFIER);

    for (size_t bit = 0; bit < 8 * strlen(NOTE); bit++) {
        g_autofree char *changed = g_strdup(NOTE);
        changed[bit / 8] = (char) (changed[bit / 8] ^ (char) (1U << bit % 8));
        g_assert_null(note_open(changed, strlen(NOTE), verifiers, NULL));
    }
}

static void
test_a_hundred_signatures_are_enough(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) verifiers = verifiers_of(VERIFIER);
    g_autoptr(GString) note = g_string_new(TEXT "\n");
    for (unsigned i = 0; i < 99; i++)
        g_string_append(note, STRANGE);
    g_string_append(note, SIGNATURE);

    g_autofree char *text = note_open(note->str, note->len, verifiers, &error);
    g_assert_no_error(error);
    g_string_append(note, STRANGE);

    g_assert_null(note_open(note->str, note->len, verifiers, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

static void
test_refuses_malformed_keys_and_echoes_none(void)
{
    static const char *const verifiers[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    static const char *const signers[] = {
        "",
        "\n",
        "PRIVATE+KEY+",
        VERIFIER,
        SIGNER "\n\n",
        "PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFy",
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AoEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(verifiers); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(note_verifier_parse(verifiers[i], &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(signers); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) text = age_fixture_secret(signers[i]);
        g_assert_null(note_signer_parse(text, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
        g_assert_null(strstr(error->message, "EKFALVFGyN"));
    }
    g_assert_null(note_signer_generate("two words", NULL));
    g_assert_null(note_signer_generate("a+b", NULL));
    g_assert_null(note_signer_generate("", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/signed_note/agrees-with-the-reference-implementation",
                    test_agrees_with_the_reference_implementation);
    g_test_add_func("/signed_note/opens-what-a-new-key-signed", test_opens_what_a_new_key_signed);
    g_test_add_func("/signed_note/tells-apart-the-ways-to-be-wrong",
                    test_tells_apart_the_ways_to_be_wrong);
    g_test_add_func("/signed_note/every-flipped-bit-is-noticed", test_every_flipped_bit_is_noticed);
    g_test_add_func("/signed_note/a-hundred-signatures-are-enough",
                    test_a_hundred_signatures_are_enough);
    g_test_add_func("/signed_note/refuses-malformed-keys-and-echoes-none",
                    test_refuses_malformed_keys_and_echoes_none);
    return g_test_run();
}
