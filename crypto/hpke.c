#include "crypto/hpke.h"

#include <sodium.h>
#include <string.h>

/* The names of the sections of RFC 9180 are kept: LabeledExtract and LabeledExpand of section 4,
 * ExtractAndExpand of 4.1, KeySchedule of 5.1. No output here is longer than one block of HMAC, so
 * an expansion is one HMAC. */

#define BLOCK   crypto_auth_hmacsha256_BYTES
#define VERSION "HPKE-v1"

typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
} Part;

/* The second Part of each pair of labels: which KEM, and which whole suite. */
static const uint8_t kem_suite[] = {'K', 'E', 'M', 0x00, 0x10};
static const uint8_t hpke_suite[] = {'H', 'P', 'K', 'E', 0x00, 0x10, 0x00, 0x01, 0x00, 0x03};
static const Part kem = {kem_suite, sizeof(kem_suite)};
static const Part hpke = {hpke_suite, sizeof(hpke_suite)};

static Part
text_part(const char *text)
{
    return (Part){(const uint8_t *) text, strlen(text)};
}

/* HMAC of `version, suite, label` and what the caller adds between begin() and the end. */
static void
begin(crypto_auth_hmacsha256_state *state, Part suite, const char *label)
{
    crypto_auth_hmacsha256_update(state, (const uint8_t *) VERSION, strlen(VERSION));
    crypto_auth_hmacsha256_update(state, suite.bytes, suite.n_bytes);
    crypto_auth_hmacsha256_update(state, (const uint8_t *) label, strlen(label));
}

static void
end(crypto_auth_hmacsha256_state *state, uint8_t out[BLOCK])
{
    crypto_auth_hmacsha256_final(state, out);
    sodium_memzero(state, sizeof(*state));
}

static void
labeled_extract(Part suite, Part salt, const char *label, Part input, uint8_t out[BLOCK])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, salt.bytes, salt.n_bytes);
    begin(&state, suite, label);
    if (input.n_bytes > 0)
        crypto_auth_hmacsha256_update(&state, input.bytes, input.n_bytes);
    end(&state, out);
}

/* What one expansion derives. */
typedef struct {
    Part suite;
    const char *label;
    Part info[2];
    uint8_t n_bytes; /* at most BLOCK */
} Expansion;

static void
labeled_expand(const uint8_t key[BLOCK], const Expansion *what, uint8_t *out)
{
    const uint8_t length[2] = {0, what->n_bytes};
    const uint8_t counter = 1;
    uint8_t block[BLOCK];
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, BLOCK);
    crypto_auth_hmacsha256_update(&state, length, sizeof(length));
    begin(&state, what->suite, what->label);
    for (int i = 0; i < 2; i++) {
        if (what->info[i].n_bytes > 0)
            crypto_auth_hmacsha256_update(&state, what->info[i].bytes, what->info[i].n_bytes);
    }
    crypto_auth_hmacsha256_update(&state, &counter, 1);
    end(&state, block);
    memcpy(out, block, what->n_bytes);
    sodium_memzero(block, sizeof(block));
}

static void
key_schedule(const uint8_t shared_secret[BLOCK], const char *info, HpkeKey *key)
{
    uint8_t context[1 + 2 * BLOCK] = {0}; /* mode base, psk_id_hash, info_hash */
    uint8_t secret[BLOCK];
    const Part none = {(const uint8_t *) "", 0};
    Expansion what = {.suite = hpke,
                      .label = "key",
                      .info = {{context, sizeof(context)}},
                      .n_bytes = sizeof(key->key)};

    labeled_extract(hpke, none, "psk_id_hash", none, context + 1);
    labeled_extract(hpke, none, "info_hash", text_part(info), context + 1 + BLOCK);
    labeled_extract(hpke, (Part){shared_secret, BLOCK}, "secret", none, secret);
    labeled_expand(secret, &what, key->key);
    what.label = "base_nonce";
    what.n_bytes = sizeof(key->nonce);
    labeled_expand(secret, &what, key->nonce);
    sodium_memzero(secret, sizeof(secret));
}

void
hpke_derive(const HpkeInput *input, HpkeKey *key)
{
    uint8_t pseudorandom[BLOCK];
    uint8_t shared_secret[BLOCK];
    const Expansion what = {
        .suite = kem,
        .label = "shared_secret",
        .info = {{input->encapsulated, HPKE_POINT_BYTES}, {input->recipient, HPKE_POINT_BYTES}},
        .n_bytes = sizeof(shared_secret)
    };

    labeled_extract(kem, text_part(""), "eae_prk", (Part){input->shared, HPKE_SHARED_BYTES},
                    pseudorandom);
    labeled_expand(pseudorandom, &what, shared_secret);
    key_schedule(shared_secret, input->info, key);
    sodium_memzero(pseudorandom, sizeof(pseudorandom));
    sodium_memzero(shared_secret, sizeof(shared_secret));
}
