#pragma once

#include "agent/opener/grant_table.h"
#include "agent/opener/key_sets.h"
#include "agent/opener/person_rates.h"
#include "agent/opener/session_case.h"
#include "agent/opener/settings_shelf.h"
#include "agent/trail/audit_trail.h"
#include "config/settings.h"
#include "crypto/signed_note.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the parts of sealtape-accessd share. Main thread, except where a part says otherwise. */

typedef struct {
    uint64_t n_granted, n_refused, n_unknown, n_browsers, n_break_glass, n_revoked;
    uint64_t n_streams, n_bytes; /* that ended, and what they gave out */
} OpenerCounts;

typedef struct {
    SettingsShelf *shelf;
    const Settings *settings; /* in force; who looks at them later than now holds them */
    ObjectStore *store;
    NoteSigner *signer;
    Secret *pseudonym_key; /* NULL: none is set */
    AuditTrail *audit;
    SessionSource source; /* borrowed by threads: never changes */
    GrantTable *grants;
    PersonRates *rates;
    KeySets *key_sets;
    GPtrArray *streams;      /* AccessStream */
    unsigned n_asks;         /* being decided */
    const char *review_path; /* where break-glass waits for its review: until a restart */
    OpenerCounts counts;
    guint tick;
    bool is_stopping;
} Opener;

/* Opens keys, store and audit logs. `settings`: taken; has an access group. Errors: any, one
 * sentence that names the setting. */
Opener *opener_new(Settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the settings again: what they allow holds from the next decision on. Where they lie and
 * what opens stays until a restart. Errors: as settings_load(); the old ones stay in force. */
bool opener_reload(Opener *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends all grants and streams. */
void opener_stop(Opener *self);

/* Returns: whether nothing is being opened or decided any more. */
bool opener_is_idle(const Opener *self);

/* When it is idle. NULL is allowed. */
void opener_free(Opener *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Opener, opener_free)
