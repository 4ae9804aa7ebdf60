#pragma once

#include "config/settings.h"

#include <glib.h>

/* The settings in force, and those before them that somebody still decides by. The first stay to
 * the end: what was opened when the program began borrows from them. Main thread; what is held may
 * be read by any. */
typedef struct SettingsShelf SettingsShelf;

/* `first`: taken. */
SettingsShelf *settings_shelf_new(Settings *first);

/* Puts `newer` (taken) in force; those before go as soon as nobody holds them. */
void settings_shelf_put(SettingsShelf *self, Settings *newer);

/* Returns: those in force, borrowed until the next put. */
const Settings *settings_shelf_current(const SettingsShelf *self);

/* Returns: those in force, borrowed until settings_shelf_release(), which each hold needs. */
const Settings *settings_shelf_hold(SettingsShelf *self) G_GNUC_WARN_UNUSED_RESULT;
void settings_shelf_release(SettingsShelf *self, const Settings *held);

/* Returns: how many versions are kept. */
guint settings_shelf_count(const SettingsShelf *self);

/* Nobody holds any. NULL is allowed. */
void settings_shelf_free(SettingsShelf *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SettingsShelf, settings_shelf_free)
