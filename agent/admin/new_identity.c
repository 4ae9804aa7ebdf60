#include "agent/admin/new_identity.h"

#include "crypto/age_key.h"
#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <string.h>

enum { KEY_MODE = 0600 };

/* Returns: the file's text, in locked memory, owned. */
static Secret *
write_text(const AgeIdentity *identity, const char *meaning, const char *recipient, GError **error)
{
    g_autoptr(Secret) key = age_identity_to_text(identity, error);
    g_autofree char *head = g_strdup_printf("# %s\n# public key: %s\n", meaning, recipient);
    Secret *text = key != NULL ? secret_new_zero(strlen(head) + secret_length(key), error) : NULL;

    if (text == NULL)
        return NULL;
    memcpy(secret_bytes(text), head, strlen(head));
    memcpy(secret_bytes(text) + strlen(head), secret_peek(key), secret_length(key));
    return text;
}

char *
new_identity_create(const char *path, const char *meaning, GError **error)
{
    g_autoptr(AgeIdentity) identity = age_identity_generate(error);
    g_autoptr(AgeRecipient) recipient = identity != NULL ? age_identity_recipient(identity) : NULL;
    g_autoptr(Secret) text =
        identity != NULL ? write_text(identity, meaning, age_recipient_text(recipient), error)
                         : NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GBytes) content = NULL;
    g_auto(Fd) dir = -1;

    if (text == NULL)
        return NULL;
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        (void) storage_fail_errno(error, "open", folder);
        return NULL;
    }
    /* From locked memory to the file without a copy. */
    content = g_bytes_new_static(secret_peek(text), secret_length(text));
    if (!durable_file_create(dir, name, KEY_MODE, content, error))
        return NULL;
    return g_strdup(age_recipient_text(recipient));
}
