#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "crypto/digest.h"
#include "storage/sealed_segment.h"

/* What must be known of one session to finish its manifest, in memory and (as text, in the spool)
 * after a crash: who it is, its tracks, how far its manifest has come. Owned by the uploader once
 * handed over; never holds a name, a reference or a key. */
typedef struct SessionLedger SessionLedger;

typedef enum {
    SESSION_LEDGER_OPEN,
    SESSION_LEDGER_CLOSED,
    SESSION_LEDGER_INTERRUPTED,
} SessionLedgerState;

typedef struct {
    char *id;
    char *kind;           /* audio, video */
    char *codec;          /* opus, vp8, vp9, h264 */
    char *participant;    /* id */
    char *recipient;      /* age1... */
    int64_t anchor_unix_us; /* wall clock of the timeline's zero */
    int64_t from_us;      /* where on the timeline the track begins */
} LedgerTrack;

typedef struct {
    char *track;
    int64_t start_us;
    int64_t duration_us;
    char *reason; /* word of [a-z-]: loss, silence, source-paused, paused-consent-withdrawn, interrupted, ... */
} LedgerGap;

/* Wall clock of a part's RTP clock, once a part. */
typedef struct {
    char *track;
    uint32_t part;
    int64_t start_us;
    uint32_t rtp_timestamp;
} LedgerClock;
