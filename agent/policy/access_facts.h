#pragma once

#include "agent/policy/part2.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What access_decide() looks at. Plain borrowed values. */

typedef enum {
    ACCESS_ROLE_PROVIDER,
    ACCESS_ROLE_CLIENT,
    ACCESS_ROLE_ADMIN,
    ACCESS_ROLE_AUDITOR,
    ACCESS_ROLE_CUSTODIAN,
    ACCESS_ROLE_TRANSCRIBER,
    N_ACCESS_ROLES,
} AccessRole;

typedef enum {
    ACCESS_PLAY,    /* media leave: play, export, transcribe; with a purpose */
    ACCESS_RELEASE, /* lets the session's client have it, or no longer */
    ACCESS_SETTINGS_READ,
    ACCESS_SETTINGS_CHANGE,
    ACCESS_HOLDS_READ, /* and erasures */
    ACCESS_HOLD,       /* places and releases; restricts; lifts a quarantine; adds a statement */
    ACCESS_ERASE_REQUEST,
    ACCESS_ERASE_APPROVE,
    ACCESS_AUDIT_OWN,
    ACCESS_AUDIT_COUNTS,
    ACCESS_AUDIT_ALL,
    ACCESS_DISCLOSURES_OWN,
    ACCESS_DISCLOSURES,
    ACCESS_REVIEW, /* of break-glass */
    N_ACCESS_ACTIONS,
} AccessAction;

typedef enum {
    ACCESS_TRACKS_AUDIO = 1 << 0,
    ACCESS_TRACKS_VIDEO = 1 << 1,
    ACCESS_TRACKS_TEXT = 1 << 2,
} AccessTracks;

/* What everyone in the session has consented to, as consent_decide() says. */
typedef enum {
    ACCESS_CONSENT_TRANSCRIBE = 1 << 0,
    ACCESS_CONSENT_QUALITY = 1 << 1,
    ACCESS_CONSENT_TRAINING = 1 << 2,
} AccessConsents;

typedef enum {
    ACCESS_RELEASE_NEVER,
    ACCESS_RELEASE_BY_HAND, /* only what is released */
    ACCESS_RELEASE_ALWAYS,
} AccessReleaseRule;

/* The organisation's rules. They only narrow the table of roles. */
typedef struct {
    const char *org;
    bool is_enabled;
    int64_t valid_until_us;                      /* 0: no end */
    unsigned may[N_ACCESS_ROLES];                /* of 1 << AccessAction */
    const char *const *purposes[N_ACCESS_ROLES]; /* for ACCESS_PLAY; NULL: the table's */
    unsigned mfa_roles;                          /* of 1 << AccessRole: who needs it */
    bool operators_need_mfa;                     /* local ones too */
    int64_t mfa_most_us;                         /* how old it may be; 0: any age */
    int64_t mfa_fresh_us;                        /* the same for break-glass; 0: never */
    AccessReleaseRule release;
    int64_t start_us, most_us, idle_us; /* of a grant; 300 s, 3600 s at the most */
    int64_t break_glass_us;             /* the most for break-glass */
} AccessPolicy;

typedef struct {
    const char *id;      /* of the person, unique in the organisation */
    const char *org;     /* whom the token or the operator belongs to */
    const char *subject; /* as participants name it; NULL: none, so no session is their own */
    unsigned roles;      /* of 1 << AccessRole */
    bool is_operator;    /* known by the kernel, not by a token */
    bool owns_every_session;
    bool has_mfa;      /* strong enough for the organisation */
    int64_t mfa_at_us; /* 0: not said, which is too old where an age is demanded */
} AccessPerson;

typedef struct {
    const char *subject; /* NULL: none */
    const char *role;    /* provider, client, guardian, ... */
} AccessParticipant;

typedef struct {
    const char *org;
    const AccessParticipant *participants; /* all who ever took part */
    size_t n_participants;
    unsigned consents; /* of AccessConsents */
    Part2Label part2;
    unsigned part2_consents; /* of Part2Consents, for whom the request is */
    bool is_open, is_released, is_quarantined, is_restricted, is_erased;
    bool is_minor_alone; /* a minor consented without a guardian */
    unsigned n_holds;
    const char *erase_requested_by; /* AccessPerson.id; NULL: nobody */
} AccessSession;

typedef struct {
    AccessAction action;
    const char *purpose; /* of use, as TREAT; for ACCESS_PLAY */
    unsigned tracks;     /* of AccessTracks: that are asked for; 0: all that may be had */
    bool has_reason;     /* a text why */
    bool audit_is_ready; /* the record of it can be written */
    bool is_outside;     /* for somebody else than the person */
} AccessRequest;
