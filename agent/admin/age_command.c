#include "agent/admin/age_command.h"

#include "agent/admin/age_key_files.h"
#include "agent/admin/age_keygen.h"
#include "agent/admin/age_options.h"
#include "agent/admin/input_file.h"
#include "agent/admin/output_file.h"
#include "agent/admin/passphrase.h"
#include "agent/admin/stream_fd.h"
#include "crypto/age_armor.h"
#include "crypto/age_passphrase.h"
#include "crypto/age_reader.h"
#include "crypto/age_writer.h"
#include "crypto/crypto_error.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_USAGE 2
#define BUFFER_BYTES                                                                               \
    ((size_t) 4 * 65536) /* some chunks, so that most are sealed without a copy                    \
                          */

static bool
fail(GError **error, const char *sentence)
{
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, sentence);
    return false;
}

static GPtrArray *
new_identities(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
}

static bool
load_identities(GPtrArray *identities, char **paths, GError **error)
{
    for (unsigned i = 0; paths != NULL && paths[i] != NULL; i++) {
        if (!age_key_files_add_identities(identities, paths[i], error))
            return false;
    }
    return true;
}

/* Standard input can be read once: as the input, or as one file of keys. */
static bool
check_standard_input(const AgeOptions *options, GError **error)
{
    char **const lists[] = {options->recipients_files, options->identity_files};
    unsigned n_uses = options->input == NULL ? 1 : 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (unsigned k = 0; lists[i] != NULL && lists[i][k] != NULL; k++)
            n_uses += strcmp(lists[i][k], "-") == 0 ? 1 : 0;
    }
    return n_uses <= 1 || fail(error, "standard input can be used for one thing only");
}

static bool
open_both(const AgeOptions *options, mode_t mode, InputFile **input, OutputFile **output,
          GError **error)
{
    g_autoptr(InputFile) opened = NULL;

    if (!check_standard_input(options, error))
        return false;
    opened = input_file_open(options->input, error);
    if (opened == NULL)
        return false;
    if (options->output != NULL && stream_fd_is_same_file(input_file_fd(opened), options->output))
        return fail(error, "input and output are the same file");
    *output = output_file_open(options->output, OUTPUT_FILE_REPLACE, mode, error);
    if (*output == NULL)
        return false;
    *input = g_steal_pointer(&opened);
    return true;
}

static bool
add_identities_as_recipients(GPtrArray *recipients, char **paths, GError **error)
{
    g_autoptr(GPtrArray) identities = new_identities();

    if (!load_identities(identities, paths, error))
        return false;
    for (guint i = 0; i < identities->len; i++)
        g_ptr_array_add(recipients, age_identity_recipient(g_ptr_array_index(identities, i)));
    return true;
}

/* `passphrase`: set where one is asked for; the recipient borrows it. */
static bool
collect_recipients(GPtrArray *recipients, const AgeOptions *options, Secret **passphrase,
                   GError **error)
{
    if (options->has_passphrase) {
        *passphrase = passphrase_ask_new(error);
        if (*passphrase != NULL) {
            g_ptr_array_add(recipients,
                            age_recipient_new_scrypt(*passphrase, AGE_PASSPHRASE_LOG_N));
        }
        return *passphrase != NULL;
    }
    for (char **text = options->recipients; text != NULL && *text != NULL; text++) {
        AgeRecipient *recipient = age_recipient_parse(*text, error);
        if (recipient == NULL)
            return false;
        g_ptr_array_add(recipients, recipient);
    }
    for (char **path = options->recipients_files; path != NULL && *path != NULL; path++) {
        if (!age_key_files_add_recipients(recipients, *path, error))
            return false;
    }
    return add_identities_as_recipients(recipients, options->identity_files, error);
}

static bool
seal_stream(GPtrArray *recipients, InputFile *input, ByteSink sink, void *sink_data, GError **error)
{
    g_autoptr(AgeWriter) writer = age_writer_new(recipients, NULL, sink, sink_data, error);
    g_autofree uint8_t *buffer = g_malloc(BUFFER_BYTES);
    size_t n_read = 1;

    if (writer == NULL)
        return false;
    while (n_read > 0) {
        if (!input_file_read(input, buffer, BUFFER_BYTES, &n_read, error) ||
            !age_writer_write(writer, buffer, n_read, error))
            return false;
    }
    return age_writer_finish(writer, error);
}

static bool
seal_armored(GPtrArray *recipients, InputFile *input, OutputFile *output, GError **error)
{
    g_autoptr(AgeArmorWriter) armor = age_armor_writer_new(output_file_write, output);

    return seal_stream(recipients, input, age_armor_writer_write, armor, error) &&
           age_armor_writer_finish(armor, error);
}

static bool
run_encrypt(const AgeOptions *options, GError **error)
{
    /* In this order, as the recipients are freed first. */
    g_autoptr(Secret) passphrase = NULL;
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(InputFile) input = NULL;
    g_autoptr(OutputFile) output = NULL;

    if (!open_both(options, 0666, &input, &output, error))
        return false;
    if (output_file_is_terminal(output) && !options->is_armored)
        return fail(error, "will not write binary data to a terminal: use -a, -o FILE or -o -");
    if (!collect_recipients(recipients, options, &passphrase, error))
        return false;
    const bool is_sealed = options->is_armored
                               ? seal_armored(recipients, input, output, error)
                               : seal_stream(recipients, input, output_file_write, output, error);
    return is_sealed && output_file_finish(output, error);
}

static bool
is_printable(const uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        if ((bytes[i] < ' ' && bytes[i] != '\n' && bytes[i] != '\t' && bytes[i] != '\r') ||
            bytes[i] == 0x7f)
            return false;
    }
    return true;
}

static bool
open_stream(GPtrArray *identities, ByteSource source, void *source_data, OutputFile *output,
            GError **error)
{
    g_autoptr(AgeReader) reader =
        age_reader_new(identities, age_context_any(), source, source_data, error);
    const uint8_t *plain = NULL;
    size_t n_plain = 1;

    while (reader != NULL && n_plain > 0) {
        if (!age_reader_next(reader, &plain, &n_plain, error))
            return false;
        if (output_file_is_terminal(output) && !is_printable(plain, n_plain))
            return fail(error, "will not write binary data to a terminal: use -o FILE or -o -");
        if (!output_file_write(output, plain, n_plain, error))
            return false;
    }
    return reader != NULL;
}

static bool
open_either(GPtrArray *identities, InputFile *input, OutputFile *output, GError **error)
{
    const uint8_t *start = NULL;
    size_t n_start = 0;

    if (!input_file_peek(input, &start, &n_start, error))
        return false;
    if (!age_armor_begins(start, n_start))
        return open_stream(identities, input_file_read, input, output, error);
    g_autoptr(AgeArmorReader) armor = age_armor_reader_new(input_file_read, input);
    return open_stream(identities, age_armor_reader_read, armor, output, error);
}

static Secret *
ask_passphrase(void *ask_data, GError **error)
{
    (void) ask_data;
    return passphrase_ask("Enter passphrase", error);
}

static bool
run_decrypt(const AgeOptions *options, GError **error)
{
    g_autoptr(GPtrArray) identities = new_identities();
    g_autoptr(InputFile) input = NULL;
    g_autoptr(OutputFile) output = NULL;

    /* What was sealed is private: its file is for the owner alone. */
    if (!open_both(options, S_IRUSR | S_IWUSR, &input, &output, error) ||
        !load_identities(identities, options->identity_files, error))
        return false;
    if (options->identity_files == NULL) {
        g_ptr_array_add(identities,
                        age_identity_new_asking(ask_passphrase, NULL, AGE_PASSPHRASE_MAX_LOG_N));
    }
    if (!open_either(identities, input, output, error)) {
        if (options->identity_files == NULL &&
            g_error_matches(*error, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH))
            g_prefix_error(error, "name an identity file with -i if it is sealed to a key: ");
        return false;
    }
    return output_file_finish(output, error);
}

int
age_command_run(int argc, char **argv)
{
    static bool (*const runs[])(const AgeOptions *options, GError **error) = {
        [AGE_MODE_ENCRYPT] = run_encrypt,
        [AGE_MODE_DECRYPT] = run_decrypt,
        [AGE_MODE_KEYGEN] = age_keygen_run,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeOptions) options = age_options_parse(argc, argv, &error);

    if (options == NULL) {
        g_printerr("sealtape: %s\nTry: sealtape age --help\n", error->message);
        return EXIT_USAGE;
    }
    if (!crypto_start(&error) || !runs[options->mode](options, &error)) {
        g_printerr("sealtape: %s\n", error->message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
