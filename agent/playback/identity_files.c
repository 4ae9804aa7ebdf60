#include "agent/playback/identity_files.h"

#include "agent/playback/token_identity.h"
#include "agent/playback/transit_identity.h"
#include "config/key_file.h"
#include "crypto/age_identity_file.h"

#include <unistd.h>

typedef struct {
    const char *path;
    IdentityFilesAsk ask;
    void *user_data;
} Question;

static void
on_identity_free(gpointer identity)
{
    age_identity_free(identity);
}

static Secret *
on_ask(void *ask_data, GError **error)
{
    const Question *question = ask_data;

    return question->ask(question->path, question->user_data, error);
}

/* Returns: GPtrArray of AgeIdentity, owned, of one token. */
static GPtrArray *
read_token(const char *uri, GError **error)
{
    AgeIdentity *token = token_identity_open(uri, error);
    GPtrArray *identities = NULL;

    if (token != NULL) {
        identities = g_ptr_array_new_with_free_func(on_identity_free);
        g_ptr_array_add(identities, token);
    }
    return identities;
}

/* As above, of one file, or of what is piped in. */
static GPtrArray *
read_file(const char *path, IdentityFilesAsk ask, void *user_data, GError **error)
{
    const bool is_piped = g_str_equal(path, "-");
    Question question = {is_piped ? "standard input" : path, ask, user_data};
    g_autoptr(Secret) content = is_piped ? key_file_read_stream(STDIN_FILENO, question.path, error)
                                         : key_file_read(path, error);
    GPtrArray *identities = NULL;

    if (content == NULL)
        return NULL;
    identities = age_identity_file_parse(content, ask == NULL ? NULL : on_ask, &question, error);
    if (identities == NULL)
        g_prefix_error(error, "%s: ", question.path);
    return identities;
}

GPtrArray *
identity_files_read(const char *const *paths, IdentityFilesAsk ask, void *user_data, GError **error)
{
    g_autoptr(GPtrArray) identities = g_ptr_array_new_with_free_func(on_identity_free);

    for (; *paths != NULL; paths++) {
        GPtrArray *found = NULL;

        if (g_str_has_prefix(*paths, TOKEN_IDENTITY_PREFIX)) {
            found = read_token(*paths, error);
        } else if (g_str_has_prefix(*paths, TRANSIT_IDENTITY_PREFIX)) {
            found = transit_identities_open(*paths, error);
        } else {
            found = read_file(*paths, ask, user_data, error);
        }
        if (found == NULL)
            return NULL;
        g_ptr_array_extend_and_steal(identities, found);
    }
    return g_steal_pointer(&identities);
}

bool
identity_files_is_remote(const char *path)
{
    return g_str_has_prefix(path, TOKEN_IDENTITY_PREFIX) ||
           g_str_has_prefix(path, TRANSIT_IDENTITY_PREFIX);
}
