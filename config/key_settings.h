#pragma once

#include <glib.h>

/* What the administrator wrote under `keys`, of the command line, which administers keys, holds and
 * erasure; and whose signatures are believed besides those of recorders. */
typedef struct {
    char *signing_key_path; /* keys.signing_key: of its audit log; NULL: it can tell nobody */
    char *audit_path;       /* keys.audit: of its audit logs; that of the recorder */
    char *ledger_path;      /* keys.ledger: what was erased, `erased` beside the catalogue */
    GPtrArray *opener_keys; /* char *: trusted_openers, verifier keys; may be empty */
    GPtrArray *admin_keys;  /* char *: trusted_admins, the same */
    GPtrArray *policy_keys; /* char *: trusted_policies, who must have signed each organisation's
                               file; none: nobody */
} KeySettings;

void key_settings_free(KeySettings *self);
