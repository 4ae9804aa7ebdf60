#include "config/settings.h"

#include "config/access_settings_file.h"
#include "config/audit_settings_file.h"
#include "config/config_file.h"
#include "config/key_settings_file.h"
#include "config/org_files.h"
#include "config/org_settings.h"
#include "config/region_rule.h"
#include "config/replica_settings.h"
#include "config/settings_readable.h"
#include "config/store_settings.h"
#include "config/syslog_settings_file.h"
#include "crypto/signed_note.h"

#include <glib.h>
#include <string.h>

G_DEFINE_QUARK(sealtape_config_error, config_error)

static bool
is_address(const char *text)
{
    return g_hostname_is_ip_address(text);
}

static bool
is_verifier_key(const char *text)
{
    g_autoptr(NoteVerifier) verifier = note_verifier_parse(text, NULL);

    return verifier != NULL;
}

static bool
is_http_url(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    const char *scheme = uri != NULL ? g_uri_get_scheme(uri) : "";

    return (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
           g_uri_get_host(uri) != NULL && *g_uri_get_host(uri) != '\0' &&
           g_uri_get_query(uri) == NULL && g_uri_get_fragment(uri) == NULL &&
           !g_str_has_suffix(text, "/");
}

#define FREE_SPACE_FORM "a share of the disk from 1% to 90%, or a size as 500M or 20G"

static const ConfigRule rules[] = {
    {"recorder",                          CONFIG_KIND_GROUP,  true,  NULL,                                     0,    0,        NULL           },
    {"recorder.socket",                   CONFIG_KIND_PATH,   true,  NULL,                                     0,    0,        NULL           },
    {"recorder.spool",                    CONFIG_KIND_PATH,   true,  NULL,                                     0,    0,        NULL           },
    {"recorder.audit",                    CONFIG_KIND_PATH,   false, NULL,                                     0,    0,        NULL           },
    {"recorder.signing_key",              CONFIG_KIND_PATH,   true,  NULL,                                     0,    0,        NULL           },
    {"recorder.rtp",                      CONFIG_KIND_GROUP,  false, NULL,                                     0,    0,        NULL           },
    {"recorder.rtp.address",              CONFIG_KIND_TEXT,   false, "an IPv4 or IPv6 address of this host",   0,    0,
     is_address                                                                                                                               },
    {"recorder.rtp.first_port",           CONFIG_KIND_NUMBER, false, "an even port, 1024 to 65534",            1024,
     65534,                                                                                                                    NULL           },
    {"recorder.rtp.last_port",            CONFIG_KIND_NUMBER, false, "a port, 1025 to 65535",                  1025, 65535,
     NULL                                                                                                                                     },
    {"recorder.segment_ms",               CONFIG_KIND_NUMBER, false, "1000 to 30000 (milliseconds)",           1000, 30000,
     NULL                                                                                                                                     },
    {"recorder.object_ms",                CONFIG_KIND_NUMBER, false, "segment_ms to 300000 (milliseconds)",    1000,
     300000,                                                                                                                   NULL           },
    {"recorder.reorder_ms",               CONFIG_KIND_NUMBER, false, "0 to 5000 (milliseconds)",               0,    5000,     NULL           },
    {"recorder.orphan_s",                 CONFIG_KIND_NUMBER, false, "0 to 604800",                            0,    604800,   NULL           },
    {"recorder.max_tracks",               CONFIG_KIND_NUMBER, false, "1 to 30000",                             1,    30000,    NULL           },
    {"recorder.max_sessions",             CONFIG_KIND_NUMBER, false, "1 to 30000",                             1,    30000,    NULL           },
    {"recorder.max_session_tracks",       CONFIG_KIND_NUMBER, false, "1 to 256",                               1,    256,      NULL           },
    {"recorder.max_session_participants", CONFIG_KIND_NUMBER, false, "1 to 256",                               1,    256,      NULL           },
    {"recorder.max_session_s",            CONFIG_KIND_NUMBER, false, "1 to 2592000 (seconds)",                 1,    2592000,
     NULL                                                                                                                                     },
    {"recorder.max_session_mib",          CONFIG_KIND_NUMBER, false, "1 to 16777216 (MiB)",                    1,    16777216,
     NULL                                                                                                                                     },
    {"recorder.max_session_kbps",         CONFIG_KIND_NUMBER, false, "32 to 1000000 (1000 bits a second)",
     32,                                                                                                             1000000,  NULL           },
    {"recorder.max_track_kbps",           CONFIG_KIND_NUMBER, false, "32 to 1000000 (1000 bits a second)",     32,
     1000000,                                                                                                                  NULL           },
    {"recorder.spool_free",               CONFIG_KIND_GROUP,  false, NULL,                                     0,    0,        NULL           },
    {"recorder.spool_free.warn",          CONFIG_KIND_TEXT,   false, FREE_SPACE_FORM,                          0,    0,
     free_space_is_valid                                                                                                                      },
    {"recorder.spool_free.refuse",        CONFIG_KIND_TEXT,   false, FREE_SPACE_FORM,                          0,    0,
     free_space_is_valid                                                                                                                      },
    {"recorder.spool_free.critical",      CONFIG_KIND_TEXT,   false, FREE_SPACE_FORM,                          0,    0,
     free_space_is_valid                                                                                                                      },
    {"catalogue",                         CONFIG_KIND_GROUP,  false, NULL,                                     0,    0,        NULL           },
    {"catalogue.path",                    CONFIG_KIND_PATH,   false, "the path of a file",                     0,    0,        NULL           },
    {"janus",                             CONFIG_KIND_GROUP,  false, NULL,                                     0,    0,        NULL           },
    {"janus.url",                         CONFIG_KIND_TEXT,   false,
     "the URL of Janus' HTTP API, as http://127.0.0.1:8088/janus",                                             0,    0,        is_http_url    },
    {"janus.rtp_host",                    CONFIG_KIND_TEXT,   false, "an IPv4 or IPv6 address",                0,    0,        is_address     },
    {"janus.ca_file",                     CONFIG_KIND_PATH,   false, NULL,                                     0,    0,        NULL           },
    {"janus.api_secret_file",             CONFIG_KIND_PATH,   false, NULL,                                     0,    0,        NULL           },
    {"janus.room_secret_file",            CONFIG_KIND_PATH,   false, NULL,                                     0,    0,        NULL           },
    {"janus.room_pin_file",               CONFIG_KIND_PATH,   false, NULL,                                     0,    0,        NULL           },
    {"janus.admin_key_file",              CONFIG_KIND_PATH,   false, NULL,                                     0,    0,        NULL           },
    {"trusted_recorders",                 CONFIG_KIND_LIST,   true,
     "a list of at most 256 recorders' verifier keys, as in the recorder.pub that `sealtape init` "
     "made",                                                                                                   0,    256,      is_verifier_key},
    {"orgs",                              CONFIG_KIND_PATH,   true,  "the folder of the organisations' files", 0,    0,        NULL           },
    {NULL,                                CONFIG_KIND_GROUP,  false, NULL,                                     0,    0,        NULL           },
};

static void
read_limits(Settings *self, const ConfigFile *file)
{
    const struct {
        const char *name;
        uint32_t *value;
        int64_t otherwise;
    } limits[] = {
        {"recorder.max_tracks",               &self->max_tracks,               2000  },
        {"recorder.max_sessions",             &self->max_sessions,             1000  },
        {"recorder.max_session_tracks",       &self->max_session_tracks,       64    },
        {"recorder.max_session_participants", &self->max_session_participants, 64    },
        {"recorder.max_session_s",            &self->max_session_s,            86400 },
        {"recorder.max_session_mib",          &self->max_session_mib,          65536 },
        {"recorder.max_session_kbps",         &self->max_session_kbps,         100000},
        {"recorder.max_track_kbps",           &self->max_track_kbps,           20000 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
        *limits[i].value = (uint32_t) config_file_number(file, limits[i].name, limits[i].otherwise);
}

static bool
read_recorder(Settings *self, const ConfigFile *file, GError **error)
{
    self->socket_path = config_file_text(file, "recorder.socket");
    self->spool_path = config_file_text(file, "recorder.spool");
    self->audit_path = config_file_text(file, "recorder.audit");
    if (self->audit_path == NULL) {
        g_autofree char *parent = g_path_get_dirname(self->spool_path);

        self->audit_path = g_build_filename(parent, "audit", NULL);
    }
    self->signing_key_path = config_file_text(file, "recorder.signing_key");
    self->rtp_address = config_file_text(file, "recorder.rtp.address");
    if (self->rtp_address == NULL)
        self->rtp_address = g_strdup("127.0.0.1");
    self->rtp_first_port = (uint16_t) config_file_number(file, "recorder.rtp.first_port", 40000);
    self->rtp_last_port = (uint16_t) config_file_number(file, "recorder.rtp.last_port", 43999);
    self->segment_ms = (uint32_t) config_file_number(file, "recorder.segment_ms", 4000);
    self->object_ms = (uint32_t) config_file_number(file, "recorder.object_ms", 20000);
    self->reorder_ms = (uint32_t) config_file_number(file, "recorder.reorder_ms", 500);
    self->orphan_s = (uint32_t) config_file_number(file, "recorder.orphan_s", 3600);
    read_limits(self, file);

    if (self->rtp_first_port % 2 != 0) {
        config_file_fail(file, "recorder.rtp.first_port", error,
                         "must be an even port, 1024 to 65534, and is %u", self->rtp_first_port);
    } else if (self->rtp_last_port <= self->rtp_first_port) {
        config_file_fail(file, "recorder.rtp.last_port", error,
                         "must be greater than first_port, which is %u: each track takes two ports",
                         self->rtp_first_port);
    } else if (self->object_ms < self->segment_ms) {
        config_file_fail(file, "recorder.object_ms", error,
                         "must be segment_ms (%u) to 300000 (milliseconds), and is %u",
                         self->segment_ms, self->object_ms);
    } else {
        return true;
    }
    return false;
}

/* Without a path it stands beside the spool, in the folder that is the recorder's in any case. */
static void
read_catalogue(Settings *self, const ConfigFile *file)
{
    g_autofree char *folder = g_path_get_dirname(self->spool_path);

    self->catalogue_path = config_file_text(file, "catalogue.path");
    if (self->catalogue_path == NULL)
        self->catalogue_path = g_build_filename(folder, "catalogue.db", NULL);
}

static void
read_free_space(const ConfigFile *file, const char *name, const char *fallback, FreeSpace *space)
{
    g_autofree char *text = config_file_text(file, name);
    const bool is_parsed = free_space_parse(space, text != NULL ? text : fallback);

    g_assert(is_parsed); /* the table has seen to it */
}

static bool
is_at_least(const FreeSpace *more, const FreeSpace *less)
{
    return (more->percent == 0) == (less->percent == 0) && more->percent >= less->percent &&
           more->bytes >= less->bytes;
}

static bool
read_spool_free(Settings *self, const ConfigFile *file, GError **error)
{
    SpoolFreeSettings *marks = &self->spool_free;

    read_free_space(file, "recorder.spool_free.warn", "15%", &marks->warn);
    read_free_space(file, "recorder.spool_free.refuse", "5%", &marks->refuse);
    read_free_space(file, "recorder.spool_free.critical", "2%", &marks->critical);
    if (is_at_least(&marks->warn, &marks->refuse) && is_at_least(&marks->refuse, &marks->critical))
        return true;
    config_file_fail(file, "recorder.spool_free", error,
                     "warn, refuse and critical (15%%, 5%%, 2%% where one is left out) must have "
                     "one unit, and none may be more "
                     "than the one before");
    return false;
}

static bool
read_janus(Settings *self, const ConfigFile *file, GError **error)
{
    JanusSettings *janus = NULL;

    if (!config_file_has(file, "janus"))
        return true;
    janus = self->janus = g_new0(JanusSettings, 1);
    janus->url = config_file_text(file, "janus.url");
    if (janus->url == NULL) {
        config_file_fail(file, "janus", error, "needs url, the URL of Janus' HTTP API");
        return false;
    }
    janus->rtp_host = config_file_text(file, "janus.rtp_host");
    if (janus->rtp_host == NULL)
        janus->rtp_host = g_strdup(self->rtp_address);
    janus->ca_path = config_file_text(file, "janus.ca_file");
    janus->api_secret_path = config_file_text(file, "janus.api_secret_file");
    janus->room_secret_path = config_file_text(file, "janus.room_secret_file");
    janus->room_pin_path = config_file_text(file, "janus.room_pin_file");
    janus->admin_key_path = config_file_text(file, "janus.admin_key_file");
    return true;
}

static void
janus_free(JanusSettings *self)
{
    if (self == NULL)
        return;
    g_free(self->url);
    g_free(self->rtp_host);
    g_free(self->ca_path);
    g_free(self->api_secret_path);
    g_free(self->room_secret_path);
    g_free(self->room_pin_path);
    g_free(self->admin_key_path);
    g_free(self);
}

static void
on_org_free(gpointer org)
{
    org_settings_free(org);
}

Settings *
settings_load(const char *path, GError **error)
{
    return settings_load_readable(path, NULL, error);
}

Settings *
settings_load_readable(const char *path, GHashTable *left_out, GError **error)
{
    static const ConfigRule *const tables[] = {rules,
                                               store_settings_rules,
                                               access_settings_rules,
                                               key_settings_rules,
                                               audit_settings_rules,
                                               syslog_settings_rules,
                                               NULL};
    g_autoptr(Settings) self = g_new0(Settings, 1);
    g_autoptr(ConfigFile) file = NULL;

    self->path = g_canonicalize_filename(path, NULL);
    self->orgs = g_ptr_array_new_with_free_func(on_org_free);
    file = config_file_open(self->path, tables, error);
    if (file == NULL || !read_recorder(self, file, error) || !read_spool_free(self, file, error) ||
        !store_settings_read(&self->store, file, error) ||
        !replica_settings_read(&self->store, file, error) ||
        !access_settings_read(self, file, error) || !audit_settings_read(self, file, error))
        return NULL;
    region_rule_make(&self->store);
    read_catalogue(self, file);
    key_settings_read(self, file);
    self->verifier_keys = config_file_list(file, "trusted_recorders");
    if (!read_janus(self, file, error) || !org_files_read(self, file, left_out, error))
        return NULL;
    return g_steal_pointer(&self);
}

const OrgSettings *
settings_org(const Settings *self, const char *org)
{
    for (guint i = 0; i < self->orgs->len; i++) {
        const OrgSettings *found = self->orgs->pdata[i];

        if (strcmp(found->id, org) == 0)
            return found;
    }
    return NULL;
}

void
settings_free(Settings *self)
{
    if (self == NULL)
        return;
    g_free(self->path);
    g_free(self->socket_path);
    g_free(self->spool_path);
    g_free(self->audit_path);
    g_free(self->orgs_path);
    g_free(self->signing_key_path);
    g_free(self->catalogue_path);
    g_free(self->rtp_address);
    store_settings_clear(&self->store);
    janus_free(self->janus);
    access_settings_free(self->access);
    key_settings_free(self->keys);
    audit_settings_free(self->audit);
    g_clear_pointer(&self->verifier_keys, g_ptr_array_unref);
    g_clear_pointer(&self->orgs, g_ptr_array_unref);
    g_free(self);
}
