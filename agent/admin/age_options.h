#pragma once

#include <glib.h>
#include <stdbool.h>

/* What a person asked of `sealtape age`. */
typedef enum {
    AGE_MODE_ENCRYPT,
    AGE_MODE_DECRYPT,
    AGE_MODE_KEYGEN,
} AgeMode;

typedef struct {
    AgeMode mode;
    char **recipients;       /* -r */
    char **recipients_files; /* -R */
    char **identity_files;   /* -i */
    bool has_passphrase;     /* -p */
    bool is_armored;         /* -a */
    bool is_public;          /* -y: the public halves of a file of identities */
    char *output;            /* -o; NULL for standard output */
    char *input;             /* NULL for standard input */
} AgeOptions;

/* Reads the command line (`argv[0]` is "age"; both are rearranged) and checks that its options go
 * together. Errors: G_OPTION_ERROR - wrong usage, in one sentence. */
AgeOptions *age_options_parse(int argc, char **argv, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void age_options_free(AgeOptions *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeOptions, age_options_free)
