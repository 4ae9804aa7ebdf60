#include "agent/admin/keys_commands.h"
#include "agent/admin/keys_work.h"
#include "agent/keys/key_ages.h"
#include "crypto/age_seal_list.h"
#include "crypto/key_ring_read.h"

#include <inttypes.h>

static int64_t
days_since(const char *time)
{
    return key_ages_days(time, g_get_real_time());
}

static bool
is_drill_due(const KeyRingKey *key)
{
    return key_ages_drill_is_due(key, g_get_real_time());
}

static json_t *
key_to_json(const KeyRingKey *key)
{
    g_autofree char *mark = age_seal_list_mark(key->recipient);

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s?, s:b}", "mark", mark,
                     "recipient", key->recipient, "role", key_ring_roles[key->role], "state",
                     key_ring_states[key->state], "proof", key_ring_proofs[key->proof], "made",
                     key->made, "since", key->since, "age_days", (json_int_t) days_since(key->made),
                     "drilled", key->drilled, "drill_due", is_drill_due(key));
}

static void
print_as_json(const KeysWork *work)
{
    const KeyRing *ring = work->file->ring;
    json_t *keys = json_array();

    for (guint i = 0; i < ring->keys->len; i++)
        json_array_append_new(keys, key_to_json(ring->keys->pdata[i]));
    command_context_print_json(json_pack("{s:s, s:i, s:s?, s:s?, s:o}", "org", ring->org, "version",
                                         work->file->is_new ? 0 : (int) ring->version, "made",
                                         ring->made, "by", ring->by, "keys", keys));
}

static void
print_key(const KeyRingKey *key)
{
    g_autofree char *mark = age_seal_list_mark(key->recipient);
    g_autofree char *day = g_strndup(key->since, strlen("2026-11-29"));

    g_print("%s  %-12s  %-9s  since %s  %4" PRId64 " days old  %s\n", mark,
            key_ring_roles[key->role], key_ring_states[key->state], day, days_since(key->made),
            key_ring_proofs[key->proof]);
    g_print("                  %s\n", key->recipient);
    if (is_drill_due(key)) {
        g_print("                  nobody has opened anything with it for %d days: "
                "`sealtape keys drill`\n",
                KEY_AGES_DRILL_DAYS);
    }
}

static void
print_for_person(const KeysWork *work)
{
    const KeyRing *ring = work->file->ring;

    if (work->file->is_new) {
        g_print("%s has no key ring, only the list in its file; `sealtape keys new` makes one.\n",
                ring->org);
    } else {
        g_print("%s, version %u of %s by %s\n", ring->org, ring->version, ring->made, ring->by);
    }
    for (guint i = 0; i < ring->keys->len; i++)
        print_key(ring->keys->pdata[i]);
}

/* Returns: how many drills are due. */
static unsigned
count_due(const KeyRing *ring)
{
    unsigned n_due = 0;

    for (guint i = 0; i < ring->keys->len; i++)
        n_due += is_drill_due(ring->keys->pdata[i]) ? 1 : 0;
    return n_due;
}

int
keys_list_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    const GOptionEntry entries[] = {
        {"org", 0, 0, G_OPTION_ARG_STRING, &org, "The organisation", "ID"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "keys list",
        "",
        "Shows the keys of an organisation: their mark and recipient, what they are for, and how "
        "old "
        "they are.\nExit code 3 if a break-glass key was not tried for a quarter.",
        entries,
        0,
        0,
    };
    g_auto(KeysWork) work = {0};
    g_autoptr(GError) error = NULL;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (!keys_work_open(&work, context, org, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        print_as_json(&work);
    } else {
        print_for_person(&work);
    }
    return count_due(work.file->ring) > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}
