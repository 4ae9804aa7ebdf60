#include "agent/playback/identity_files.h"

#include "agent/playback/token_identity.h"
#include "config/key_file.h"
#include "crypto/age_identity_file.h"

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

GPtrArray *
identity_files_read(const char *const *paths, IdentityFilesAsk ask, void *user_data, GError **error)
{
    g_autoptr(GPtrArray) identities = g_ptr_array_new_with_free_func(on_identity_free);

    for (; *paths != NULL; paths++) {
        if (g_str_has_prefix(*paths, TOKEN_IDENTITY_PREFIX)) {
            AgeIdentity *token = token_identity_open(*paths, error);

            if (token == NULL)
                return NULL;
            g_ptr_array_add(identities, token);
            continue;
        }
        Question question = {*paths, ask, user_data};
        g_autoptr(Secret) content = key_file_read(*paths, error);
        GPtrArray *found = NULL;

        if (content == NULL)
            return NULL;
        found = age_identity_file_parse(content, ask == NULL ? NULL : on_ask, &question, error);
        if (found == NULL) {
            g_prefix_error(error, "%s: ", *paths);
            return NULL;
        }
        g_ptr_array_extend_and_steal(identities, found);
    }
    return g_steal_pointer(&identities);
}
