#include "crypto/age_lock.h"

#include "crypto/age_seal_list.h"
#include "crypto/age_wrap.h"
#include "crypto/crypto_error.h"

#include <string.h>

static bool
is_seal_list(const AgeStanza *stanza)
{
    return strcmp(stanza->words[0], AGE_SEAL_LIST_TYPE) == 0;
}

static bool
is_context(const AgeStanza *stanza)
{
    return g_str_has_prefix(stanza->words[0], AGE_CONTEXT_PREFIX) && !is_seal_list(stanza);
}

char *
age_lock_claimed_context(const AgeHeader *header)
{
    for (guint i = 0; i < header->stanzas->len; i++) {
        const AgeStanza *stanza = g_ptr_array_index(header->stanzas, i);
        if (is_context(stanza))
            return g_strjoinv(" ", stanza->words);
    }
    return NULL;
}

static guint
count_contexts(const AgeHeader *header)
{
    guint n_contexts = 0;

    for (guint i = 0; i < header->stanzas->len; i++)
        n_contexts += is_context(g_ptr_array_index(header->stanzas, i)) ? 1 : 0;
    return n_contexts;
}

/* The list of recipients has one place, right behind the context; it need not be there. */
static bool
has_list_in_place(const AgeHeader *header)
{
    for (guint i = 0; i < header->stanzas->len; i++) {
        const AgeStanza *stanza = g_ptr_array_index(header->stanzas, i);

        if (is_seal_list(stanza) && (i != 1 || stanza->body->len != 0))
            return false;
    }
    return true;
}

static bool
check_context(const AgeHeader *header, const AgeContext *context, GError **error)
{
    const AgeStanza *first = g_ptr_array_index(header->stanzas, 0);
    const guint n_contexts = count_contexts(header);
    g_autofree char *claimed = age_lock_claimed_context(header);

    if (context == age_context_any())
        return true;
    if (context == NULL) {
        return n_contexts == 0 ||
               crypto_fail(error, CRYPTO_ERROR_CONTEXT,
                           "the file was sealed as `%s`, but belongs to no such place", claimed);
    }
    if (n_contexts == 0) {
        return crypto_fail(error, CRYPTO_ERROR_CONTEXT,
                           "the file should be `%s`, but does not say where it belongs",
                           age_context_text(context));
    }
    if (strcmp(claimed, age_context_text(context)) != 0) {
        return crypto_fail(error, CRYPTO_ERROR_CONTEXT, "the file should be `%s`, but is `%s`",
                           age_context_text(context), claimed);
    }
    if (n_contexts != 1 || !is_context(first) || first->body->len != 0 ||
        !has_list_in_place(header)) {
        return crypto_fail(error, CRYPTO_ERROR_CONTEXT,
                           "the file says in more than one way where it belongs");
    }
    return true;
}

static bool
is_passphrase(const AgeHeader *header)
{
    const AgeStanza *first = g_ptr_array_index(header->stanzas, 0);

    return strcmp(first->words[0], "scrypt") == 0;
}

static bool
check_passphrase_stands_alone(const AgeHeader *header, GError **error)
{
    for (guint i = 0; i < header->stanzas->len && header->stanzas->len > 1; i++) {
        const AgeStanza *stanza = g_ptr_array_index(header->stanzas, i);
        if (strcmp(stanza->words[0], "scrypt") == 0) {
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                               "a passphrase stanza stands beside others");
        }
    }
    return true;
}

/* Another identity may open what a token that is away does not; if none does, the first token's
 * sentence is what is told. `file_key`: NULL if none of them opens it. */
static bool
unwrap_by_any(GPtrArray *identities, const AgeHeader *header, Secret **file_key, GError **error)
{
    g_autoptr(GError) absent = NULL;

    for (guint i = 0; i < identities->len && *file_key == NULL; i++) {
        g_autoptr(GError) fault = NULL;

        if (age_unwrap(g_ptr_array_index(identities, i), header, file_key, &fault))
            continue;
        if (!g_error_matches(fault, CRYPTO_ERROR, CRYPTO_ERROR_TOKEN)) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return false;
        }
        if (absent == NULL)
            absent = g_steal_pointer(&fault);
    }
    if (*file_key == NULL && absent != NULL) {
        g_propagate_error(error, g_steal_pointer(&absent));
        return false;
    }
    return true;
}

Secret *
age_lock_open(GPtrArray *identities, const AgeContext *context, const AgeHeader *header,
              GError **error)
{
    g_autoptr(Secret) file_key = NULL;

    if (!check_passphrase_stands_alone(header, error) ||
        !unwrap_by_any(identities, header, &file_key, error))
        return NULL;
    if (file_key == NULL) {
        crypto_fail(error, CRYPTO_ERROR_NO_MATCH, "%s",
                    is_passphrase(header) ? "the file is sealed to a passphrase, not to a key"
                                          : "none of the identities opens the file");
        return NULL;
    }
    if (!age_header_is_genuine(header, file_key)) {
        crypto_fail(error, CRYPTO_ERROR_AUTHENTICATION,
                    "the header's MAC is wrong: the file was changed");
        return NULL;
    }
    if (!check_context(header, context, error))
        return NULL;
    return g_steal_pointer(&file_key);
}

static bool
check_recipients(GPtrArray *recipients, const AgeContext *context, GError **error)
{
    if (recipients->len == 0)
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "no recipient to seal the file to");
    for (guint i = 0; i < recipients->len; i++) {
        if (age_wrap_is_exclusive(g_ptr_array_index(recipients, i)) &&
            (recipients->len > 1 || context != NULL)) {
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                               "a passphrase can only be a file's single recipient");
        }
    }
    return true;
}

GByteArray *
age_lock_new(GPtrArray *recipients, const AgeContext *context, Secret **file_key, GError **error)
{
    g_autoptr(GPtrArray) stanzas = g_ptr_array_new_with_free_func((GDestroyNotify) age_stanza_free);
    g_autoptr(Secret) key = NULL;

    g_assert(context != age_context_any());
    if (!check_recipients(recipients, context, error))
        return NULL;
    key = secret_new_random(AGE_FILE_KEY_BYTES, error);
    if (key == NULL)
        return NULL;
    if (context != NULL) {
        char **words = g_strsplit(age_context_text(context), " ", -1);
        g_ptr_array_add(stanzas, age_stanza_new(words, NULL, 0));
        if (age_context_lists_recipients(context))
            g_ptr_array_add(stanzas, age_seal_list_stanza(recipients));
    }
    for (guint i = 0; i < recipients->len; i++) {
        AgeStanza *stanza = age_wrap(g_ptr_array_index(recipients, i), key, error);
        if (stanza == NULL)
            return NULL;
        g_ptr_array_add(stanzas, stanza);
    }
    GByteArray *header = age_header_write(stanzas, key);
    *file_key = g_steal_pointer(&key);
    return header;
}
