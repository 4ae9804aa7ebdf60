#include "agent/admin/age_options.h"

#include <string.h>

/* As GOption fills them in: it knows only its own kind of boolean. */
typedef struct {
    gboolean is_encrypt;
    gboolean is_decrypt;
    gboolean has_passphrase;
    gboolean is_armored;
    gboolean is_public;
    char **inputs;
} Flags;

static bool
fail(GError **error, const char *sentence)
{
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, sentence);
    return false;
}

/* The sub-command, if the first word is one: it is then taken out. */
static AgeMode
take_mode(int *argc, char **argv, bool *is_named)
{
    static const char *const names[] = {
        [AGE_MODE_ENCRYPT] = "encrypt",
        [AGE_MODE_DECRYPT] = "decrypt",
        [AGE_MODE_KEYGEN] = "keygen",
    };

    *is_named = false;
    for (unsigned i = 0; *argc > 1 && !*is_named && i < G_N_ELEMENTS(names); i++) {
        if (strcmp(argv[1], names[i]) != 0)
            continue;
        *is_named = true;
        memmove(argv + 1, argv + 2, (size_t) (*argc - 1) * sizeof(*argv)); /* the NULL, too */
        (*argc)--;
        return (AgeMode) i;
    }
    return AGE_MODE_ENCRYPT;
}

static bool
parse_words(AgeOptions *self, Flags *flags, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"encrypt",          'e', 0, G_OPTION_ARG_NONE,           &flags->is_encrypt,      "Encrypt (the default)", NULL       },
        {"decrypt",          'd', 0, G_OPTION_ARG_NONE,           &flags->is_decrypt,      "Decrypt",               NULL       },
        {"recipient",        'r', 0, G_OPTION_ARG_STRING_ARRAY,   &self->recipients,
         "Encrypt to age1...; may be repeated",                                                                     "RECIPIENT"},
        {"recipients-file",  'R', 0, G_OPTION_ARG_FILENAME_ARRAY, &self->recipients_files,
         "Encrypt to the recipients listed in FILE; may be repeated",                                               "FILE"     },
        {"identity",         'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &self->identity_files,
         "Decrypt with (or encrypt to) the identities in FILE; may be repeated",                                    "FILE"     },
        {"passphrase",       'p', 0, G_OPTION_ARG_NONE,           &flags->has_passphrase,
         "Encrypt with a passphrase",                                                                               NULL       },
        {"armor",            'a', 0, G_OPTION_ARG_NONE,           &flags->is_armored,      "Encrypt to text",       NULL       },
        {"public",           'y', 0, G_OPTION_ARG_NONE,           &flags->is_public,
         "keygen: write the recipients of the identities in INPUT",                                                 NULL       },
        {"output",           'o', 0, G_OPTION_ARG_FILENAME,       &self->output,
         "Write to FILE instead of standard output",                                                                "FILE"     },
        {G_OPTION_REMAINING, 0,   0, G_OPTION_ARG_FILENAME_ARRAY, &flags->inputs,          NULL,                    "[INPUT]"  },
        {NULL,               0,   0, G_OPTION_ARG_NONE,           NULL,                    NULL,                    NULL       },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_summary(context, "Make keys, encrypt and decrypt files in the format of "
                                          "age: age keygen, age encrypt, age decrypt.");
    return g_option_context_parse(context, &argc, &argv, error);
}

static bool
settle_mode(AgeOptions *self, const Flags *flags, bool is_named, GError **error)
{
    if (flags->is_encrypt && flags->is_decrypt)
        return fail(error, "choose one of encrypt and decrypt");
    if (is_named && ((flags->is_encrypt && self->mode != AGE_MODE_ENCRYPT) ||
                     (flags->is_decrypt && self->mode != AGE_MODE_DECRYPT)))
        return fail(error, "choose one of keygen, encrypt and decrypt");
    if (flags->is_decrypt)
        self->mode = AGE_MODE_DECRYPT;
    /* Whoever forgets -d would otherwise encrypt once more, to his own key. */
    if (!is_named && !flags->is_encrypt && !flags->is_decrypt && self->identity_files != NULL)
        return fail(error, "say -d to decrypt with an identity, or -e to encrypt to it");
    return true;
}

static bool
check_encrypt(const AgeOptions *self, GError **error)
{
    const bool has_keys =
        self->recipients != NULL || self->recipients_files != NULL || self->identity_files != NULL;

    if (self->is_public)
        return fail(error, "-y belongs to keygen");
    if (self->has_passphrase && has_keys)
        return fail(error, "a passphrase can not be combined with recipients");
    if (!self->has_passphrase && !has_keys)
        return fail(error, "name a recipient with -r, -R or -i, or use -p for a passphrase");
    return true;
}

static bool
check_decrypt(const AgeOptions *self, GError **error)
{
    if (self->is_public)
        return fail(error, "-y belongs to keygen");
    if (self->recipients != NULL || self->recipients_files != NULL)
        return fail(error, "-r and -R do not go with decrypt: name an identity with -i");
    if (self->has_passphrase) {
        return fail(error,
                    "-p does not go with decrypt: a passphrase is asked for if one is needed");
    }
    if (self->is_armored)
        return fail(error, "-a does not go with decrypt: armour is recognised by itself");
    return true;
}

static bool
check_keygen(const AgeOptions *self, GError **error)
{
    if (self->recipients != NULL || self->recipients_files != NULL ||
        self->identity_files != NULL || self->has_passphrase || self->is_armored)
        return fail(error, "keygen takes only -o and -y");
    if (self->input != NULL && !self->is_public)
        return fail(error, "keygen reads an input only with -y");
    return true;
}

static bool
settle(AgeOptions *self, const Flags *flags, bool is_named, GError **error)
{
    static bool (*const checks[])(const AgeOptions *self, GError **error) = {
        [AGE_MODE_ENCRYPT] = check_encrypt,
        [AGE_MODE_DECRYPT] = check_decrypt,
        [AGE_MODE_KEYGEN] = check_keygen,
    };

    self->has_passphrase = flags->has_passphrase;
    self->is_armored = flags->is_armored;
    self->is_public = flags->is_public;
    if (flags->inputs != NULL && g_strv_length(flags->inputs) > 1)
        return fail(error, "name one input, or none for standard input");
    if (flags->inputs != NULL && strcmp(flags->inputs[0], "-") != 0)
        self->input = g_strdup(flags->inputs[0]);
    return settle_mode(self, flags, is_named, error) && checks[self->mode](self, error);
}

AgeOptions *
age_options_parse(int argc, char **argv, GError **error)
{
    g_autoptr(AgeOptions) self = g_new0(AgeOptions, 1);
    Flags flags = {0};
    bool is_named = false;

    self->mode = take_mode(&argc, argv, &is_named);
    const bool is_valid =
        parse_words(self, &flags, argc, argv, error) && settle(self, &flags, is_named, error);
    g_strfreev(flags.inputs);
    return is_valid ? g_steal_pointer(&self) : NULL;
}

void
age_options_free(AgeOptions *self)
{
    if (self == NULL)
        return;
    g_strfreev(self->recipients);
    g_strfreev(self->recipients_files);
    g_strfreev(self->identity_files);
    g_free(self->output);
    g_free(self->input);
    g_free(self);
}
