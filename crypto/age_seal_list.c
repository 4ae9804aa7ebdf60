#include "crypto/age_seal_list.h"

#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "crypto/digest.h"

#include <string.h>

#define MARK_DIGITS 16

char *
age_seal_list_mark(const char *text)
{
    const Digest digest = digest_of(text, strlen(text));
    g_autofree char *hex = digest_to_hex(&digest);

    return g_strndup(hex, MARK_DIGITS);
}

AgeStanza *
age_seal_list_stanza(GPtrArray *recipients)
{
    char **words = g_new0(char *, recipients->len + 2);

    words[0] = g_strdup(AGE_SEAL_LIST_TYPE);
    for (guint i = 0; i < recipients->len; i++)
        words[i + 1] = age_seal_list_mark(age_recipient_text(recipients->pdata[i]));
    return age_stanza_new(words, NULL, 0);
}

char **
age_seal_list_claimed(const uint8_t *bytes, size_t n_bytes, GError **error)
{
    size_t n_seen = 0;
    const size_t n_header = age_header_find_end(bytes, n_bytes, &n_seen);
    g_autoptr(AgeHeader) header = NULL;

    if (n_header == 0) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "not an age file: its header has no end");
        return NULL;
    }
    header = age_header_parse(bytes, n_header, error);
    if (header == NULL)
        return NULL;
    for (guint i = 0; i < header->stanzas->len; i++) {
        const AgeStanza *stanza = g_ptr_array_index(header->stanzas, i);

        if (strcmp(stanza->words[0], AGE_SEAL_LIST_TYPE) == 0)
            return g_strdupv(stanza->words + 1);
    }
    return g_new0(char *, 1);
}
