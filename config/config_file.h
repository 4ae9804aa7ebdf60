#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A configuration file checked against a table of what may stand in it. After config_file_open()
 * every setting is known, of its kind and in its range, and every required one is there; the
 * getters can not fail. Inside config/ only. */
typedef struct ConfigFile ConfigFile;

typedef enum {
    CONFIG_KIND_GROUP,  /* { ... } */
    CONFIG_KIND_TEXT,   /* "...", not empty */
    CONFIG_KIND_PATH,   /* the same; made absolute against the file's folder when read */
    CONFIG_KIND_NUMBER, /* `least` to `most` */
    CONFIG_KIND_SWITCH, /* true, false */
    CONFIG_KIND_LIST,   /* [ "...", ... ], `least` to `most` texts, all different */
    CONFIG_KIND_WORDS,  /* the same, where some may be equal */
} ConfigKind;

typedef struct {
    const char *name; /* the whole way: recorder.rtp.first_port; its group has a row before it */
    ConfigKind kind;
    bool is_required;
    const char *allowed; /* ends the sentence `must be ...` */
    int64_t least, most;
    bool (*accepts)(const char *text); /* for each text; NULL: any */
} ConfigRule;

/* `tables`: of rules, static, NULL at the end; each table ends with a NULL name.
 * Errors: CONFIG_ERROR_UNREADABLE, CONFIG_ERROR_INVALID; `file:line: setting: sentence`. */
ConfigFile *config_file_open(const char *path, const ConfigRule *const *tables,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether it is set at all; for a group as well. */
bool config_file_has(const ConfigFile *self, const char *name);

/* Returns: the text, for a path the absolute one, owned; NULL if it is not set. */
char *config_file_text(const ConfigFile *self, const char *name);
int64_t config_file_number(const ConfigFile *self, const char *name, int64_t fallback);
bool config_file_switch(const ConfigFile *self, const char *name, bool fallback);

/* Returns: GPtrArray of char *, owned; empty if it is not set. */
GPtrArray *config_file_list(const ConfigFile *self, const char *name);

/* Returns: `path` made absolute against the file's folder, owned. `systemd:<name>` is the unit's
 * credential of that name (LoadCredential=), or stays as it is where no unit was given any. */
char *config_file_resolve(const ConfigFile *self, const char *path);

/* Sets `error` to CONFIG_ERROR_INVALID with the place of `name`, or of the file where it is not
 * set. */
void config_file_fail(const ConfigFile *self, const char *name, GError **error, const char *format,
                      ...) G_GNUC_PRINTF(4, 5);

/* Returns: the whole file as it was read, owned. */
GBytes *config_file_bytes(const ConfigFile *self);

void config_file_free(ConfigFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfigFile, config_file_free)
