#pragma once

#include "agent/recorder/janus_source.h"
#include "agent/recorder/session.h"
#include "agent/recorder/track.h"

/* What the files of a session share; nobody else includes this. */

/* The purposes that capture needs, and the place of each in Session.decisions. */
typedef enum {
    PURPOSE_AUDIO,
    PURPOSE_VIDEO,
    N_PURPOSES,
} Purpose;

typedef struct {
    TrackRequest *request;
    char *recipient;    /* NULL until it has a key */
    Track *track;       /* NULL while not recorded */
    bool is_keying;     /* its key is being stored */
    bool is_ended;      /* for good, while the session goes on */
    uint64_t n_limited; /* packets dropped because they were too many, when last looked at */
    bool is_limited;    /* more of them since the time before */
    bool has_told_type; /* of a payload type that was not declared */
} SessionTrack;

struct Session {
    SessionServices services;
    char *id, *org, *reference, *service;
    const OrgSettings *settings; /* NULL: no such organisation */
    Part2Label label;            /* goes into the manifest with each decision */
    Participants *participants;
    GPtrArray *tracks;         /* SessionTrack */
    GHashTable *sender_clocks; /* id of a participant to SenderClocks; NULL: none yet */
    JanusSource *source;       /* NULL: the backend brings the media */
    SealerSession *sealer_session;
    RateLimit *rate; /* of all its tracks */

    SessionState state;
    ConsentReason decisions[N_PURPOSES];
    char *decided_for[N_PURPOSES]; /* id of the participant that decided, or NULL */

    GArray *watchers; /* Watcher, of session_watch.c */
    unsigned last_watcher;
    char *pause_reason;      /* why the backend asked for a pause; NULL: it did not */
    int64_t last_sign_us;    /* of life, monotonic: a packet, or a request for this session */
    uint64_t n_packets_then; /* at that moment */
    const char *end_reason;  /* static: why it ended, where nobody asked for it; NULL otherwise */

    bool is_org_gone;                  /* its file is: `settings` is what it said last */
    bool has_withdrawal, is_mark_told; /* session_withdrawal.h */
    OrgWithdrawal withdrawal;

    uint32_t generation; /* of the envelope, the last one made */
    int64_t created_unix_us;
    int64_t zero_monotonic_us;
    bool is_begun, is_stored; /* the spool knows it; and has let go of it */
    unsigned n_jobs;          /* workers that will still call back */
    bool meta_is_busy, meta_is_dirty;
    bool is_closing;    /* once the metadata are kept */
    unsigned n_closing; /* tracks */
};

static inline Purpose
purpose_of(const TrackRequest *request)
{
    return media_codec_is_video(request->format.codec) ? PURPOSE_VIDEO : PURPOSE_AUDIO;
}

static inline int64_t
session_now_us(const Session *self)
{
    return g_get_monotonic_time() - self->zero_monotonic_us;
}

GArray *session_watchers_new(void);

/* session_watch.c: what `event` makes of the state; tells those who watch, for where the state
 * stays a track may have changed. */
void session_move(Session *self, SessionEvent event);

/* session_trouble.c: looks for what is wrong with the tracks' packets, and tells it. */
void session_look_for_trouble(Session *self);

/* Why capture of `track` is held back now, static or the session's; NULL: it is not. */
const char *session_hold(const Session *self, const SessionTrack *track);

/* session_consent.c: decides both purposes for everyone present. */
void session_decide(Session *self);

/* Pauses, resumes or begins tracks as the last decision says, and tells the manifest. */
void session_apply_decision(Session *self);
void session_hold_tracks(Session *self); /* as things stand */

/* Returns: the first reason to deny among what the tracks need, or CONSENT_OK if any of them is
 * permitted. */
ConsentReason session_reason(const Session *self);

extern const char *const session_purposes[N_PURPOSES]; /* the names */

/* session_room.c: whether the limits let a session begin whose first `n_permitted` tracks begin
 * with it, and so on. Errors: SESSION_LIMIT_ERROR. */
bool session_may_begin(const Session *self, unsigned n_permitted, GError **error);
bool session_may_add_track(const Session *self, GError **error);
bool session_may_open_tracks(const Session *self, unsigned n_tracks, GError **error);
bool session_may_add_participant(const Session *self, GError **error);

/* session_keys.c: makes the next generation of keys for `tracks` (GPtrArray of SessionTrack,
 * borrowed), stores it, then opens the tracks. */
void session_key_tracks(Session *self, GPtrArray *tracks, SessionReadyFunc on_ready,
                        void *user_data);

/* session_tracks.c: by which the tracks of `participant` may be put in step. Returns: borrowed. */
SenderClocks *session_sender_clocks(Session *self, const char *participant);
/* The same: ends those of `tracks` that were ended before they had begun. */
void session_finish_ended(Session *self, GPtrArray *tracks);
