#include "agent/recorder/duty_metrics.h"

#include "agent/keys/key_ages.h"
#include "agent/keys/ring_file.h"
#include "crypto/key_ring_read.h"
#include "storage/due_file.h"

#include <inttypes.h>

typedef struct {
    int64_t now_us;
    int64_t age_days[N_KEY_RING_ROLES]; /* of the oldest active key */
    int64_t drill_days;                 /* since the last drill that is longest ago */
    unsigned n_drills, n_rotations, n_rewraps;
    unsigned n_unreadable; /* rings that do not count */
} KeyDuties;

static void
look_at_key(KeyDuties *self, const KeyRingKey *key)
{
    self->n_drills += key_ages_drill_is_due(key, self->now_us);
    self->n_rotations += key_ages_rotation_is_due(key, self->now_us);
    self->n_rewraps += key_ages_rewrap_is_due(key);
    if (key->state != KEY_RING_ACTIVE)
        return;
    self->age_days[key->role] =
        MAX(self->age_days[key->role], key_ages_days(key->made, self->now_us));
    if (key->role == KEY_RING_BREAK_GLASS) {
        const char *last = key->drilled != NULL ? key->drilled : key->made;

        self->drill_days = MAX(self->drill_days, key_ages_days(last, self->now_us));
    }
}

static void
look_at_ring(KeyDuties *self, const Settings *settings, const OrgSettings *org)
{
    g_autoptr(RingFile) file = ring_file_open(settings, org, NULL);

    self->n_unreadable += file == NULL;
    for (guint i = 0; file != NULL && i < file->ring->keys->len; i++)
        look_at_key(self, file->ring->keys->pdata[i]);
}

static void
add(GString *text, const char *name, const char *help, int64_t value)
{
    g_string_append_printf(
        text, "# HELP sealtape_%s %s\n# TYPE sealtape_%s gauge\nsealtape_%s %" PRId64 "\n", name,
        help, name, name, value);
}

static void
add_keys(GString *text, const KeyDuties *duties)
{
    static const int64_t day_s = INT64_C(24) * 60 * 60;

    g_string_append(text, "# HELP sealtape_key_age_seconds Age of the oldest active key, by role.\n"
                          "# TYPE sealtape_key_age_seconds gauge\n");
    for (unsigned role = 0; role < N_KEY_RING_ROLES; role++) {
        g_string_append_printf(text, "sealtape_key_age_seconds{role=\"%s\"} %" PRId64 "\n",
                               key_ring_roles[role], duties->age_days[role] * day_s);
    }
    add(text, "key_drill_age_seconds",
        "Since a break-glass key last opened anything, of the one where that is longest ago.",
        duties->drill_days * day_s);
    add(text, "key_drills_due", "Break-glass keys that nobody has tried for a quarter.",
        duties->n_drills);
    add(text, "key_rotations_due", "Active keys of organisations that are over a year old.",
        duties->n_rotations);
    add(text, "key_rewraps_due", "Keys that only open: to be re-wrapped and retired.",
        duties->n_rewraps);
    add(text, "key_rings_unreadable", "Key rings that are damaged or not signed by whom they must.",
        duties->n_unreadable);
}

static void
add_retention(GString *text, const Settings *settings, int64_t now_us)
{
    DueFile sum = {.at_unix_s = now_us / G_USEC_PER_SEC};
    bool has_looked = false;

    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *org = settings->orgs->pdata[i];
        DueFile due;

        if (!due_file_read(settings->keys->ledger_path, org->id, &due))
            continue;
        has_looked = true;
        sum.at_unix_s = MIN(sum.at_unix_s, due.at_unix_s);
        sum.n_due += due.n_due;
        sum.n_locked += due.n_locked;
        sum.n_held += due.n_held;
        sum.n_failed += due.n_failed;
    }
    if (!has_looked)
        return;
    add(text, "retention_age_seconds", "Since somebody last looked what is due to be erased.",
        now_us / G_USEC_PER_SEC - sum.at_unix_s);
    add(text, "erasures_due", "Recordings that were due to be erased then.", (int64_t) sum.n_due);
    add(text, "erasures_locked", "Erased by key, and still locked in the store.",
        (int64_t) sum.n_locked);
    add(text, "recordings_held", "Recordings that a hold keeps.", (int64_t) sum.n_held);
    add(text, "erasures_failed", "Of which nothing could be said, or whose erasure failed.",
        (int64_t) sum.n_failed);
}

void
duty_metrics_add(GString *text, const Settings *settings)
{
    KeyDuties duties = {.now_us = g_get_real_time()};

    for (guint i = 0; i < settings->orgs->len; i++)
        look_at_ring(&duties, settings, settings->orgs->pdata[i]);
    add_keys(text, &duties);
    add_retention(text, settings, duties.now_us);
}
