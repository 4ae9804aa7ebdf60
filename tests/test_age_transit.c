#include "crypto/age_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/age_transit.h"
#include "crypto/crypto_error.h"
#include "crypto/rsa_oaep.h"
#include "tests/fakes/age_fixture.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

/* A vault in this process: an RSA key of OpenSSL's. */
typedef struct {
    EVP_PKEY *key;
    const char *fault; /* what is wrong with it; NULL: it answers */
    size_t n_answer;   /* bytes of the file key that it gives away */
    unsigned n_asked;
    uint32_t version; /* it was asked for */
} Vault;

static Vault vault;

static bool
decrypt(void *service, uint32_t version, const GByteArray *sealed, Secret **file_key,
        GError **error)
{
    Vault *self = service;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, self->key, NULL);
    uint8_t plain[RSA_OAEP_MAX_BYTES];
    size_t n_plain = sizeof(plain);

    self->n_asked++;
    self->version = version;
    if (self->fault != NULL) {
        EVP_PKEY_CTX_free(context);
        return crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s", self->fault);
    }
    g_assert_cmpint(EVP_PKEY_decrypt_init(context), ==, 1);
    g_assert_cmpint(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), ==, 1);
    g_assert_cmpint(EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()), ==, 1);
    if (EVP_PKEY_decrypt(context, plain, &n_plain, sealed->data, sealed->len) == 1) {
        n_plain = MIN(n_plain, self->n_answer);
        *file_key = secret_new_zero(n_plain, error);
        memcpy(secret_bytes(*file_key), plain, n_plain);
    }
    EVP_PKEY_CTX_free(context);
    return true;
}

/* Returns: the public half of `key` as the service would give it, owned. */
static char *
pem_of(EVP_PKEY *key)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long n_bytes = 0;
    char *pem = NULL;

    g_assert_cmpint(PEM_write_bio_PUBKEY(text, key), ==, 1);
    n_bytes = BIO_get_mem_data(text, &bytes);
    pem = g_strndup(bytes, (gsize) n_bytes);
    BIO_free_all(text);
    return pem;
}

/* Returns: the vault's recipient in that version, owned. */
static char *
recipient_of(uint32_t version)
{
    g_autofree char *pem = pem_of(vault.key);
    uint8_t modulus[RSA_OAEP_MAX_BYTES];
    const size_t n_modulus = rsa_oaep_read_pem(pem, modulus);

    g_assert_cmpuint(n_modulus, ==, 384);
    return age_transit_recipient_text(version, modulus, n_modulus);
}

static void
on_free(gpointer identity)
{
    age_identity_free(identity);
}

static GPtrArray *
identities_of(uint32_t version)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *recipient = recipient_of(version);
    GPtrArray *identities = g_ptr_array_new_with_free_func(on_free);

    vault.fault = NULL;
    vault.n_answer = RSA_OAEP_MAX_BYTES;
    vault.n_asked = 0;
    g_ptr_array_add(identities, age_transit_identity(recipient, decrypt, &vault, NULL, &error));
    g_assert_no_error(error);
    return identities;
}

static GBytes *
seal_to(uint32_t version)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = recipient_of(version);
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    char word[] = "visit";
    GBytes *sealed = NULL;

    g_ptr_array_add(recipients, age_recipient_parse(text, &error));
    g_assert_no_error(error);
    sealed = age_file_seal(recipients, NULL, &(struct iovec){word, strlen(word)}, 1, &error);
    g_assert_no_error(error);
    return sealed;
}

static GByteArray *
open_bytes(GPtrArray *identities, GBytes *sealed, GError **error)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);

    return age_file_open(identities, NULL, bytes, n_bytes, error);
}

static void
test_opens_what_was_sealed_to_it(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) sealed = seal_to(7);
    g_autoptr(GPtrArray) identities = identities_of(7);
    g_autoptr(GByteArray) opened = open_bytes(identities, sealed, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(opened->data, opened->len, "visit", 5);
    g_assert_cmpuint(vault.version, ==, 7);
}

static void
test_does_not_ask_for_another_version(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) sealed = seal_to(1);
    g_autoptr(GPtrArray) identities = identities_of(2);
    g_autoptr(GByteArray) opened = open_bytes(identities, sealed, &error);

    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH);
    g_assert_cmpuint(vault.n_asked, ==, 0);
}

static void
test_tells_what_is_wrong_with_the_service(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) sealed = seal_to(1);
    g_autoptr(GPtrArray) identities = identities_of(1);
    g_autoptr(GByteArray) opened = NULL;

    vault.fault = "the vault is sealed";
    opened = open_bytes(identities, sealed, &error);
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_TOKEN);
    g_assert_cmpstr(error->message, ==, "the vault is sealed");
}

static void
test_takes_a_file_key_of_its_length_only(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) sealed = seal_to(1);
    g_autoptr(GPtrArray) identities = identities_of(1);
    g_autoptr(GByteArray) opened = NULL;

    vault.n_answer = 15;
    opened = open_bytes(identities, sealed, &error);
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

static void
test_refuses_each_changed_byte_of_its_stanza(void)
{
    g_autoptr(GBytes) sealed = seal_to(1);
    g_autoptr(GPtrArray) identities = identities_of(1);
    gsize n_bytes = 0;
    g_autofree uint8_t *bytes = g_memdup2(g_bytes_get_data(sealed, NULL), g_bytes_get_size(sealed));
    const char *begin = g_strstr_len((char *) bytes, g_bytes_get_size(sealed), "vault-transit");
    const char *end = g_strstr_len(begin, 1000, "\n---");

    n_bytes = g_bytes_get_size(sealed);
    for (const char *at = begin; at < end; at += 5) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) opened = NULL;

        bytes[at - (char *) bytes] ^= 1;
        opened = age_file_open(identities, NULL, bytes, n_bytes, &error);
        g_assert_null(opened);
        g_assert_nonnull(error);
        bytes[at - (char *) bytes] ^= 1;
    }
}

static void
test_refuses_what_is_no_stanza_of_the_type(void)
{
    g_autofree char *recipient = recipient_of(1);
    g_autofree char *mark = age_seal_list_mark(recipient);
    g_autoptr(GPtrArray) identities = identities_of(1);
    const struct {
        const char *first, *second, *third;
        size_t n_body;
    } rows[] = {
        {NULL, NULL, NULL, 384},
        {mark, NULL, NULL, 384},
        {mark, "2",  NULL, 384},
        {mark, "01", NULL, 384},
        {mark, "1",  "1",  384},
        {mark, "1",  NULL, 383},
        {mark, "1",  NULL, 512},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        static const uint8_t body[512];
        const char *words[] = {"vault-transit", rows[i].first, rows[i].second, rows[i].third, NULL};
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) file_key = NULL;
        g_autoptr(AgeStanza) stanza =
            age_stanza_new(g_strdupv((char **) words), body, rows[i].n_body);

        g_assert_false(age_transit_unwrap(identities->pdata[0], stanza, &file_key, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
    g_assert_cmpuint(vault.n_asked, ==, 0);
}

static void
test_reads_recipients_strictly(void)
{
    uint8_t modulus[RSA_OAEP_MAX_BYTES];
    g_autofree char *own = recipient_of(3);
    g_autofree char *even = NULL;
    g_autofree char *small = NULL;
    g_autofree char *cut = g_strndup(own, strlen(own) - 1);

    memset(modulus, 0xfe, sizeof(modulus));
    even = age_transit_recipient_text(1, modulus, 512);
    modulus[0] = 0x7f;
    modulus[511] = 1;
    small = age_transit_recipient_text(1, modulus, 512);
    const char *const rows[] = {even, small, cut, "age1transit1qqqqqqsyc2x3r"};

    g_autoptr(GError) error = NULL;
    g_autoptr(AgeRecipient) recipient = age_recipient_parse(own, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(age_recipient_text(recipient), ==, own);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(AgeRecipient) refused = age_recipient_parse(rows[i], &error);

        g_assert_null(refused);
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
        g_clear_error(&error);
    }
}

static void
test_gives_its_identity_the_recipient(void)
{
    g_autofree char *own = recipient_of(9);
    g_autoptr(GPtrArray) identities = identities_of(9);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identities->pdata[0]);

    g_assert_cmpstr(age_recipient_text(recipient), ==, own);
}

/* Short keys, other exponents, other kinds, and no key at all. */
static void
test_takes_no_other_key(void)
{
    EVP_PKEY *keys[] = {EVP_RSA_gen(2048), EVP_EC_gen("P-256")};
    uint8_t modulus[RSA_OAEP_MAX_BYTES];

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *pem = pem_of(keys[i]);

        g_assert_cmpuint(rsa_oaep_read_pem(pem, modulus), ==, 0);
        EVP_PKEY_free(keys[i]);
    }
    g_assert_cmpuint(rsa_oaep_read_pem("", modulus), ==, 0);
    g_assert_cmpuint(rsa_oaep_read_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n", modulus), ==, 0);
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    vault.key = EVP_RSA_gen(3072);
#define ADD(name, test) g_test_add_func("/age-transit/" name, test)
    ADD("opens-what-was-sealed-to-it", test_opens_what_was_sealed_to_it);
    ADD("does-not-ask-for-another-version", test_does_not_ask_for_another_version);
    ADD("tells-what-is-wrong-with-the-service", test_tells_what_is_wrong_with_the_service);
    ADD("takes-a-file-key-of-its-length-only", test_takes_a_file_key_of_its_length_only);
    ADD("refuses-each-changed-byte-of-its-stanza", test_refuses_each_changed_byte_of_its_stanza);
    ADD("refuses-what-is-no-stanza-of-the-type", test_refuses_what_is_no_stanza_of_the_type);
    ADD("reads-recipients-strictly", test_reads_recipients_strictly);
    ADD("gives-its-identity-the-recipient", test_gives_its_identity_the_recipient);
    ADD("takes-no-other-key", test_takes_no_other_key);
    status = g_test_run();
    EVP_PKEY_free(vault.key);
    return status;
}
