#pragma once

#include "config/settings.h"

#include <glib.h>

/* A folder with sealtape.conf and orgs/clinic-a.conf, made from the examples. */
typedef struct {
    char *folder;
    char *path;
    char *org_path;
} SettingsFixture;

/* Keys made by settings_fixture_start(). */
extern const char *settings_fixture_recipients[2];
extern const char *settings_fixture_verifier_key;

/* Starts crypto/ and makes the keys; once, first. */
void settings_fixture_start(void);

/* Adds `/<suite>/<name>`, with a fixture set up before and torn down behind it. */
void settings_fixture_add(const char *suite, const char *name,
                          void (*test)(SettingsFixture *fixture, gconstpointer unused));

/* Each owned. `replace` fails the test if there is nothing to replace. */
char *settings_fixture_example(const char *name);
char *settings_fixture_good(void);
char *settings_fixture_good_org(void);
char *settings_fixture_replace(const char *text, const char *what, const char *with);

void settings_fixture_write(const char *path, const char *text);

/* Fails the test unless loading fails with `code` and a message that has `sentence` in it. */
void settings_fixture_fault(const SettingsFixture *self, ConfigError code, const char *sentence);
