#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* How long one organisation keeps its recordings: `orgs/<id>.retention`, beside its other settings
 * and apart from them, since recording and opening do not depend on it. */
typedef struct {
    char *table;              /* version of the rules, an id */
    char *time_zone;          /* in which a day ends: America/Phoenix */
    GPtrArray *rules;         /* char *: `adult-az: adult 6 years`; checked in form */
    bool sees_minors;         /* a session that nobody classified may be a minor's */
    uint32_t clock_lead_days; /* how far the clock may be ahead of the newest recording */
} RetentionSettings;

/* `orgs`: the folder. Returns: owned; with `error` unset where there is no such file, NULL: all is
 * kept for ever. Errors: any CONFIG_ERROR. */
RetentionSettings *retention_settings_load(const char *orgs, const char *org,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

void retention_settings_free(RetentionSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RetentionSettings, retention_settings_free)
