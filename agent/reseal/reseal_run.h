#pragma once

#include "agent/keys/rewrap.h"
#include "storage/annotation.h"
#include "storage/recording.h"
#include "storage/reseal_removal.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Seals one session anew after a key was compromised: new keys, the same media (docs/formats.md has
 * the order, and what is proven by whom). A run that was cut short goes on where it stopped: all it
 * knows is what the store says. */

/* All borrowed. */
typedef struct {
    RewrapKeys keys;
    RecordingTrust trust;
    const NoteSigner *signer; /* its verifier is among the annotators of `trust` */
    const char *org, *session;
    const char *against; /* mark of the compromised key: of none of the recipients */
    const char *by, *software;
    bool takes_over; /* a person knows that no other run is at it, whatever the store says */
    /* Decides whether it may be said, tells the auditors, and adds it. Errors: DENIED; the store's.
     */
    bool (*annotate)(void *user_data, Annotation *next, GError **error);
    void (*on_progress)(void *user_data, uint64_t n_done, uint64_t n_bytes);
    void *user_data;
} ResealJob;

typedef struct {
    bool is_current;    /* there was nothing to do */
    bool is_resealed;   /* by this run; false: by one before, and this has removed what was left */
    unsigned n_objects; /* sealed anew */
    uint64_t n_bytes;   /* of them */
    GPtrArray *matters; /* char *: open holds */
    char *note;         /* hexadecimal digest of the newest note */
    ResealRemoval removal;
} ResealResult;

/* `result`: to be cleared in any case. Errors: DENIED - it may not be; BUSY - another run is at it,
 * or the session is still recorded; CORRUPT - what lies there is not what was signed, and stays as
 * it is; as track_keys_of(); the store's: run it again. */
bool reseal_run(const ResealJob *job, ResealResult *result,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reseal_result_clear(ResealResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ResealResult, reseal_result_clear)
