#include "agent/admin/age_key_files.h"

#include "agent/admin/input_file.h"
#include "agent/admin/passphrase.h"
#include "crypto/age_identity_file.h"

#include <string.h>
#include <sys/stat.h>

#define MAX_BYTES 65536 /* what a Secret can hold: about 800 identities */

static InputFile *
open_file(const char *path, GError **error)
{
    return input_file_open(strcmp(path, "-") == 0 ? NULL : path, error);
}

/* Reads all of a small file straight into locked memory. */
static Secret *
read_whole(InputFile *file, GError **error)
{
    g_autoptr(Secret) content = secret_new_zero(MAX_BYTES, error);
    size_t n_bytes = 0;
    size_t n_read = 1;

    if (content == NULL)
        return NULL;
    while (n_read > 0 && n_bytes < MAX_BYTES) {
        if (!input_file_read(file, secret_bytes(content) + n_bytes, MAX_BYTES - n_bytes, &n_read,
                             error))
            return NULL;
        n_bytes += n_read;
    }
    if (n_bytes == MAX_BYTES) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "%s is too large for a file of keys",
                    input_file_name(file));
        return NULL;
    }
    secret_truncate(content, n_bytes);
    return g_steal_pointer(&content);
}

/* `line`: NUL-terminated, its ends stripped. */
static bool
add_recipient(GPtrArray *recipients, const char *line, GError **error)
{
    if (line[0] == '\0' || line[0] == '#')
        return true;
    AgeRecipient *recipient = age_recipient_parse(line, error);
    if (recipient != NULL)
        g_ptr_array_add(recipients, recipient);
    return recipient != NULL;
}

bool
age_key_files_add_recipients(GPtrArray *recipients, const char *path, GError **error)
{
    g_autoptr(InputFile) file = open_file(path, error);
    g_autoptr(Secret) content = file == NULL ? NULL : read_whole(file, error);
    const guint n_before = recipients->len;

    if (content == NULL)
        return false;
    g_autofree char *text = g_strndup((const char *) secret_peek(content), secret_length(content));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        if (!add_recipient(recipients, g_strstrip(lines[i]), error)) {
            g_prefix_error(error, "%s, line %u: ", input_file_name(file), i + 1);
            return false;
        }
    }
    if (recipients->len == n_before) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s lists no recipient",
                    input_file_name(file));
    }
    return recipients->len > n_before;
}

static Secret *
ask_for_file(void *ask_data, GError **error)
{
    const InputFile *file = ask_data;
    g_autofree char *prompt =
        g_strdup_printf("Enter passphrase for identity file %s", input_file_name(file));

    return passphrase_ask(prompt, error);
}

/* As ssh does, but without refusing: the file may come from a place that has no modes. */
static void
warn_of_other_readers(const InputFile *file)
{
    struct stat status;

    if (fstat(input_file_fd(file), &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        g_printerr(
            "sealtape: warning: others may read the secret keys in %s (mode %04o); use chmod 600\n",
            input_file_name(file), (unsigned) status.st_mode & 07777U);
    }
}

static GPtrArray *
load_identities(InputFile *file, GError **error)
{
    g_autoptr(Secret) content = read_whole(file, error);

    if (content == NULL)
        return NULL;
    if (!age_identity_file_is_sealed(content))
        warn_of_other_readers(file);
    return age_identity_file_parse(content, ask_for_file, file, error);
}

bool
age_key_files_add_identities(GPtrArray *identities, const char *path, GError **error)
{
    g_autoptr(InputFile) file = open_file(path, error);

    if (file == NULL)
        return false;
    GPtrArray *found = load_identities(file, error);
    if (found == NULL) {
        g_prefix_error(error, "%s: ", input_file_name(file));
        return false;
    }
    g_ptr_array_extend_and_steal(identities, found);
    return true;
}
