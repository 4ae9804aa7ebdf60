#include "config/settings.h"
#include "config/syslog_settings_file.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    DEFAULT_PORT = 6514, /* RFC 5425 */
    DEFAULT_MAX_LAG = 100000,
    DEFAULT_TIMEOUT_MS = 10000,
    DEFAULT_RETRY_MS = 60000,
};

/* A host's name, or an address of either kind; the port stands by itself. */
static bool
is_host(const char *text)
{
    struct in6_addr address;

    return inet_pton(AF_INET6, text, &address) == 1 ||
           (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
                strlen(text) &&
            strlen(text) <= 253);
}

#define HOST_FORM "a host's name or address, without a port"

const ConfigRule syslog_settings_rules[] = {
    {"audit.syslog",             CONFIG_KIND_GROUP,  false, NULL,                       0,   0,        NULL   },
    {"audit.syslog.address",     CONFIG_KIND_TEXT,   false, HOST_FORM,                  0,   0,        is_host},
    {"audit.syslog.port",        CONFIG_KIND_NUMBER, false, "1 to 65535",               1,   65535,    NULL   },
    {"audit.syslog.tls",         CONFIG_KIND_SWITCH, false, NULL,                       0,   0,        NULL   },
    {"audit.syslog.ca_file",     CONFIG_KIND_PATH,   false, NULL,                       0,   0,        NULL   },
    {"audit.syslog.certificate", CONFIG_KIND_PATH,   false, NULL,                       0,   0,        NULL   },
    {"audit.syslog.key",         CONFIG_KIND_PATH,   false, NULL,                       0,   0,        NULL   },
    {"audit.syslog.server_name", CONFIG_KIND_TEXT,   false, HOST_FORM,                  0,   0,        is_host},
    {"audit.syslog.max_lag",     CONFIG_KIND_NUMBER, false, "16 to 10000000 (records)", 16,  10000000,
     NULL                                                                                                     },
    {"audit.syslog.timeout_ms",  CONFIG_KIND_NUMBER, false, "200 to 120000",            200, 120000,   NULL   },
    {"audit.syslog.retry_ms",    CONFIG_KIND_NUMBER, false, "100 to 600000",            100, 600000,   NULL   },
    {NULL,                       CONFIG_KIND_GROUP,  false, NULL,                       0,   0,        NULL   },
};

static const char *const tls_names[] = {"audit.syslog.ca_file", "audit.syslog.certificate",
                                        "audit.syslog.key"};

static bool
is_loopback(const char *text)
{
    struct in_addr address;

    if (strcmp(text, "::1") == 0)
        return true;
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool
check_tls(const ConfigFile *file, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tls_names); i++) {
        if (config_file_has(file, tls_names[i]))
            continue;
        config_file_fail(file, tls_names[i], error,
                         "is missing: the receiver is known by its authority, and we by a "
                         "certificate and its key");
        return false;
    }
    return true;
}

static bool
check_plain(const SyslogSettings *self, const ConfigFile *file, GError **error)
{
    if (!is_loopback(self->address)) {
        config_file_fail(file, "audit.syslog.tls", error,
                         "must be true: without it nothing leaves this host, and %s is not an "
                         "address of loopback (127.0.0.1, ::1)",
                         self->address);
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(tls_names); i++) {
        if (!config_file_has(file, tls_names[i]))
            continue;
        config_file_fail(file, tls_names[i], error, "has no use where audit.syslog.tls is false");
        return false;
    }
    return true;
}

bool
syslog_settings_read(SyslogSettings **settings, const ConfigFile *file, GError **error)
{
    SyslogSettings *self = NULL;

    *settings = NULL;
    if (!config_file_has(file, "audit.syslog"))
        return true;
    if (!config_file_has(file, "audit.syslog.address")) {
        config_file_fail(file, "audit.syslog.address", error, "is missing; it must be " HOST_FORM);
        return false;
    }
    self = *settings = g_new0(SyslogSettings, 1);
    self->address = config_file_text(file, "audit.syslog.address");
    self->port = (uint16_t) config_file_number(file, "audit.syslog.port", DEFAULT_PORT);
    self->is_plain = !config_file_switch(file, "audit.syslog.tls", true);
    self->ca_path = config_file_text(file, "audit.syslog.ca_file");
    self->certificate_path = config_file_text(file, "audit.syslog.certificate");
    self->key_path = config_file_text(file, "audit.syslog.key");
    self->server_name = config_file_text(file, "audit.syslog.server_name");
    if (self->server_name == NULL)
        self->server_name = g_strdup(self->address);
    self->max_lag = (uint32_t) config_file_number(file, "audit.syslog.max_lag", DEFAULT_MAX_LAG);
    self->timeout_ms =
        (uint32_t) config_file_number(file, "audit.syslog.timeout_ms", DEFAULT_TIMEOUT_MS);
    self->retry_ms = (uint32_t) config_file_number(file, "audit.syslog.retry_ms", DEFAULT_RETRY_MS);
    return self->is_plain ? check_plain(self, file, error) : check_tls(file, error);
}

void
syslog_settings_free(SyslogSettings *self)
{
    if (self == NULL)
        return;
    g_free(self->address);
    g_free(self->ca_path);
    g_free(self->certificate_path);
    g_free(self->key_path);
    g_free(self->server_name);
    g_free(self);
}
