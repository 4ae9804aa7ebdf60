#include "agent/keys/key_ages.h"

#include <glib.h>

enum { DAY_S = 24 * 60 * 60 };

int64_t
key_ages_days(const char *time, int64_t now_us)
{
    g_autoptr(GDateTime) then = g_date_time_new_from_iso8601(time, NULL);

    g_assert(then != NULL); /* the ring's reader has checked it */
    return MAX(now_us / G_USEC_PER_SEC - g_date_time_to_unix(then), 0) / DAY_S;
}

bool
key_ages_drill_is_due(const KeyRingKey *key, int64_t now_us)
{
    const char *last = key->drilled != NULL ? key->drilled : key->made;

    return key->role == KEY_RING_BREAK_GLASS && key->state == KEY_RING_ACTIVE &&
           key_ages_days(last, now_us) >= KEY_AGES_DRILL_DAYS;
}

bool
key_ages_rotation_is_due(const KeyRingKey *key, int64_t now_us)
{
    return key->role == KEY_RING_ORGANISATION && key->state == KEY_RING_ACTIVE &&
           key_ages_days(key->made, now_us) >= KEY_AGES_ROTATE_DAYS;
}

bool
key_ages_rewrap_is_due(const KeyRingKey *key)
{
    return key->state == KEY_RING_OPEN_ONLY;
}
