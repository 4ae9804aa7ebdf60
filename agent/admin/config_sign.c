#include "agent/admin/config_sign.h"

#include "agent/admin/output_file.h"
#include "config/key_file.h"
#include "config/org_signature.h"
#include "crypto/age_context.h"
#include "crypto/digest.h"
#include "crypto/signed_note.h"

#include <gio/gio.h>
#include <string.h>

static NoteSigner *
read_signer(const char *path, GError **error)
{
    g_autoptr(Secret) key = key_file_read(path, error);

    return key != NULL ? note_signer_parse(key, error) : NULL;
}

/* Returns: the organisation's id, owned; NULL: the file at `path` is none's. */
static char *
org_of(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    char *org = g_str_has_suffix(name, ".conf") ? g_strndup(name, strlen(name) - 5) : NULL;

    if (org == NULL || age_context_id_is_valid(org))
        return org;
    g_free(org);
    return NULL;
}

/* Returns: the signed note of the file as it is, owned. */
static char *
sign(const char *path, const char *org, const NoteSigner *signer, GError **error)
{
    g_autofree char *file = NULL;
    g_autofree char *hex = NULL;
    g_autofree char *text = NULL;
    gsize n_bytes = 0;
    Digest digest;

    if (!g_file_get_contents(path, &file, &n_bytes, error))
        return NULL;
    digest = digest_of(file, n_bytes);
    hex = digest_to_hex(&digest);
    text = org_signature_text(org, hex);
    return note_sign(signer, text);
}

static int
run(CommandContext *context, const char *path, const char *key)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteSigner) signer = NULL;
    g_autoptr(OutputFile) output = NULL;
    g_autofree char *org = org_of(path);
    g_autofree char *beside = org_signature_path(path);
    g_autofree char *note = NULL;

    if (org == NULL) {
        g_printerr("sealtape config sign: %s is no organisation's file, <id>.conf\n", path);
        return EXIT_CODE_USAGE;
    }
    signer = read_signer(key, &error);
    note = signer != NULL ? sign(path, org, signer, &error) : NULL;
    output = note != NULL ? output_file_open(beside, OUTPUT_FILE_REPLACE, 0644, &error) : NULL;
    if (output == NULL ||
        !output_file_write(output, (const uint8_t *) note, strlen(note), &error) ||
        !output_file_finish(output, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    g_print("%s is written: %s counts as it is now.\n", beside, path);
    return EXIT_CODE_OK;
}

int
config_sign_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *key = NULL;
    const GOptionEntry entries[] = {
        {"key", 0, 0, G_OPTION_ARG_FILENAME, &key, "The signing key, of `audit keygen policy`",
         "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "config",
        "sign FILE --key FILE",
        "Signs an organisation's file as it is, for hosts whose `trusted_policies` names the key.",
        entries,
        2,
        2};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (key == NULL) {
        g_printerr("sealtape config sign: --key is missing\n");
        return EXIT_CODE_USAGE;
    }
    return run(context, argv[2], key);
}
