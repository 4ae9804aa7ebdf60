#pragma once

#include "config/access_settings.h"
#include "config/audit_settings.h"
#include "config/free_space.h"
#include "config/janus_settings.h"
#include "config/key_settings.h"
#include "config/org_access.h"
#include "config/org_consent.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the administrator wrote, read and checked once and then never changed: sealtape.conf and the
 * organisations' files beside it. Every fault is one sentence that names file, line, setting and
 * what is allowed; a setting nobody knows is a fault too (a typo must not turn a rule off). Paths
 * are made absolute against the file's folder. */

typedef enum {
    CONFIG_ERROR_UNREADABLE, /* missing, or may not be read */
    CONFIG_ERROR_INVALID,    /* syntax, unknown setting, wrong type or value */
    CONFIG_ERROR_UNSAFE,     /* a secret file that others may read */
} ConfigError;

#define CONFIG_ERROR (config_error_quark())
GQuark config_error_quark(void);

/* One organisation, orgs/<id>.conf. */
typedef struct {
    char *id;
    GPtrArray *recipients; /* char *: age1..., at least two: the ring's, or the file's */
    uint32_t ring_version; /* of the key ring they are from; 0: there is none */
    char *ring_path;       /* the folder of its key ring, there or not */
    OrgConsent *consent;   /* what may be recorded, and after which words */
    struct TranscriptionSettings *transcription; /* NULL: none */
    OrgAccess *access;                           /* who may open */
    GBytes *text;                                /* the file as it was read */
    char *digest; /* its SHA-256, hexadecimal: named in every decision */
} OrgSettings;

/* Where sealed recordings stay, under `store`. NULL or 0: left out; the store knows what then. */
typedef enum {
    STORE_TYPE_DIRECTORY,
    STORE_TYPE_S3,
} StoreType;

typedef enum {
    STORE_LOCK_NONE,
    STORE_LOCK_GOVERNANCE,
    STORE_LOCK_COMPLIANCE,
} StoreLock;

typedef struct {
    char *name;          /* of a replica: its file's, without `.conf`; NULL: the first store */
    GPtrArray *replicas; /* StoreSettings *: each must have everything too; NULL: none */
    StoreType type;
    char *region; /* where it stands; NULL: not said, which a directory may do */
    char *path;   /* of a directory; NULL for any other type, as is all below for a directory */

    char *endpoint;
    char *bucket;
    bool has_host_style; /* the bucket stands in the host's name, not in the path */
    char *prefix;
    char *credentials; /* a word, systemd:<name>, or an absolute path */
    char *ca_file;
    GPtrArray *pins; /* char *, and NULL at the end */
    char *proxy;
    char *encryption;
    char *kms_key_id;
    char *storage_class;
    char *tags;
    StoreLock lock;
    uint32_t lock_days;
    bool legal_hold;
    int *keeps_region; /* region_rule: not 0 if an organisation has `regions`, atomic */
    uint32_t max_upload_kbit_s;
    uint32_t max_concurrent;
    uint32_t attempt_ms;
    uint32_t retry_ms;
} StoreSettings;

typedef struct {
    char *path;        /* of sealtape.conf */
    char *socket_path; /* recorder.socket */
    char *spool_path;  /* recorder.spool */
    char *audit_path;  /* recorder.audit: of the audit logs; beside the spool */
    SpoolFreeSettings spool_free;
    char *signing_key_path;  /* recorder.signing_key */
    char *catalogue_path;    /* catalogue.path: beside the spool */
    char *rtp_address;       /* recorder.rtp.address: bound, and told to the media server */
    uint16_t rtp_first_port; /* recorder.rtp.first_port: even; each track takes two */
    uint16_t rtp_last_port;
    uint32_t segment_ms; /* recorder.segment_ms: 1000..30000 */
    uint32_t object_ms;  /* recorder.object_ms: segment_ms..300000 */
    uint32_t reorder_ms; /* recorder.reorder_ms: 0..5000, how long a missing packet is waited for */
    uint32_t orphan_s;   /* recorder.orphan_s: 0 never ends a forgotten session */
    uint32_t max_tracks, max_sessions; /* recorder.max_...: of the whole daemon, at once */
    uint32_t max_session_tracks, max_session_participants; /* of one session, at once */
    uint32_t max_session_s;                                /* how long one may last */
    uint32_t max_session_mib;                              /* of media */
    uint32_t max_session_kbps, max_track_kbps; /* of RTP, 1000 bit/s: of all its tracks, of one */
    StoreSettings store;
    GPtrArray *verifier_keys; /* char *: verifier keys of recorders trusted by verify and recover */
    JanusSettings *janus;     /* NULL: none */
    AccessSettings *access;   /* NULL: nothing is opened on this host */
    KeySettings *keys;        /* of the command line; never NULL */
    AuditSettings *audit;     /* never NULL */
    char *orgs_path;          /* orgs: the folder */
    GPtrArray *orgs;          /* OrgSettings */
} Settings;

/* Errors: any CONFIG_ERROR; the message is meant for the user. */
Settings *settings_load(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: borrowed; NULL if there is no such organisation. */
const OrgSettings *settings_org(const Settings *self, const char *org);

void settings_free(Settings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)
