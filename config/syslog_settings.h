#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the administrator wrote under `audit.syslog`: who else receives the audit messages. */
typedef struct {
    char *address; /* audit.syslog.address: a name or an address */
    uint16_t port;
    bool is_plain; /* audit.syslog.tls = false: to this host alone; then all four are NULL */
    char *ca_path; /* audit.syslog.ca_file: who vouches for the receiver */
    char *certificate_path, *key_path; /* ours, shown to it */
    char *server_name;   /* whom its certificate must name; the address, where nothing is set */
    uint32_t max_lag;    /* audit.syslog.max_lag: records of a log that may wait for it */
    uint32_t timeout_ms; /* without any progress, until a receiver is given up */
    uint32_t retry_ms;   /* the longest wait between two tries */
} SyslogSettings;

void syslog_settings_free(SyslogSettings *self);
