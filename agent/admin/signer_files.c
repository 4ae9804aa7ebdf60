#include "agent/admin/signer_files.h"

#include "crypto/signed_note.h"
#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <string.h>

static bool
create_file(const char *folder, const char *name, mode_t mode, GBytes *content, GError **error)
{
    g_auto(Fd) dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return (dir >= 0 || storage_fail_errno(error, "open", folder)) &&
           durable_file_create(dir, name, mode, content, error);
}

bool
signer_files_put_text(const char *folder, const char *name, mode_t mode, const char *text,
                      GError **error)
{
    g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

    return create_file(folder, name, mode, content, error);
}

/* The bytes go from locked memory to the file without a copy. */
bool
signer_files_put_secret(const char *folder, const char *name, const Secret *secret, GError **error)
{
    g_autoptr(GBytes) content = g_bytes_new_static(secret_peek(secret), secret_length(secret));

    return create_file(folder, name, 0600, content, error);
}

char *
signer_files_make(const char *folder, const char *program, GError **error)
{
    g_autofree char *name = g_strconcat(program, ".", g_get_host_name(), NULL);
    g_autofree char *secret_name = g_strconcat(program, ".key", NULL);
    g_autofree char *public_name = g_strconcat(program, ".pub", NULL);
    g_autoptr(NoteSigner) signer = note_signer_generate(
        g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-", '-'), error);
    g_autoptr(Secret) key = signer != NULL ? note_signer_to_text(signer, error) : NULL;
    g_autofree char *verifier_key = signer != NULL ? note_signer_verifier_key(signer) : NULL;
    g_autofree char *line = g_strconcat(verifier_key, "\n", NULL);

    if (key == NULL || !signer_files_put_secret(folder, secret_name, key, error) ||
        !signer_files_put_text(folder, public_name, 0644, line, error))
        return NULL;
    return g_steal_pointer(&verifier_key);
}
