#include "agent/admin/age_keygen.h"

#include "agent/admin/age_key_files.h"
#include "agent/admin/output_file.h"
#include "crypto/age_key.h"

#include <string.h>
#include <sys/stat.h>

/* Writes an identity file as age-keygen does. */
static bool
write_identity(const AgeIdentity *identity, OutputFile *output, GError **error)
{
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identity);
    g_autoptr(Secret) text = age_identity_to_text(identity, error);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *created = g_date_time_format_iso8601(now);
    g_autofree char *comment = g_strdup_printf("# created: %s\n# public key: %s\n", created,
                                               age_recipient_text(recipient));

    if (text == NULL ||
        !output_file_write(output, (const uint8_t *) comment, strlen(comment), error) ||
        !output_file_write(output, secret_peek(text), secret_length(text), error) ||
        !output_file_finish(output, error))
        return false;
    if (!output_file_is_terminal(output))
        g_printerr("Public key: %s\n", age_recipient_text(recipient));
    return true;
}

static bool
generate_identity(const AgeOptions *options, GError **error)
{
    g_autoptr(AgeIdentity) identity = age_identity_generate(error);
    g_autoptr(OutputFile) output = NULL;
    struct stat status;

    if (identity == NULL)
        return false;
    output = output_file_open(options->output, OUTPUT_FILE_NEW, S_IRUSR | S_IWUSR, error);
    if (output == NULL)
        return false;
    if (fstat(output_file_fd(output), &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        g_printerr("sealtape: warning: writing a secret key to a file that others may read\n");
    return write_identity(identity, output, error);
}

static bool
write_recipients(const AgeOptions *options, GError **error)
{
    g_autoptr(GPtrArray) identities =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
    g_autoptr(OutputFile) output = NULL;
    const char *path = options->input == NULL ? "-" : options->input;

    if (!age_key_files_add_identities(identities, path, error))
        return false;
    output = output_file_open(options->output, OUTPUT_FILE_REPLACE, 0666, error);
    for (guint i = 0; output != NULL && i < identities->len; i++) {
        g_autoptr(AgeRecipient) recipient =
            age_identity_recipient(g_ptr_array_index(identities, i));
        g_autofree char *line = g_strconcat(age_recipient_text(recipient), "\n", NULL);
        if (!output_file_write(output, (const uint8_t *) line, strlen(line), error))
            return false;
    }
    return output != NULL && output_file_finish(output, error);
}

bool
age_keygen_run(const AgeOptions *options, GError **error)
{
    return options->is_public ? write_recipients(options, error)
                              : generate_identity(options, error);
}
