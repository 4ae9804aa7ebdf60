#pragma once

#include <glib.h>
#include <stdbool.h>

/* What `sealtape init` makes: keys first, sealtape.conf last, and never over anything that is
 * there. */

typedef struct {
    char *folder; /* absolute */
    char *config_path;
    char *org_identity_path;
    char *break_glass_path;
    char *org_recipient; /* age1... */
    char *break_glass_recipient;
    char *verifier_key; /* of the recorder */
    char *opener_key;   /* the same of the opener, and of the command line */
    char *admin_key;
} InitFiles;

/* Makes everything for one organisation in `folder`, which is made if it is missing.
 * Errors: G_FILE_ERROR_EXIST - names what is in the way, and nothing was changed; CRYPTO_ERROR,
 * STORAGE_ERROR. */
InitFiles *init_files_make(const char *folder, const char *org,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void init_files_free(InitFiles *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitFiles, init_files_free)
