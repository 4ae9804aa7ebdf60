#pragma once

#include "crypto/key_ring.h"

#include <stdbool.h>
#include <stdint.h>

/* How old keys are and what is due with them, for lists, metrics and reminders. Pure. */

enum {
    KEY_AGES_DRILL_DAYS = 92,   /* once a quarter */
    KEY_AGES_ROTATE_DAYS = 365, /* once a year */
};

/* Returns: whole days from `time` (as rings have it) to `now_us`, unix time; never less than 0. */
int64_t key_ages_days(const char *time, int64_t now_us);

/* Whether nobody has opened anything with this break-glass key for a quarter. */
bool key_ages_drill_is_due(const KeyRingKey *key, int64_t now_us);

/* Whether new sessions are sealed to an everyday key that is over a year old. */
bool key_ages_rotation_is_due(const KeyRingKey *key, int64_t now_us);

/* Whether what was sealed to this key is still to be sealed anew, or the key to be retired. */
bool key_ages_rewrap_is_due(const KeyRingKey *key);
