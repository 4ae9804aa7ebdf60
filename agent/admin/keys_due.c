#include "agent/admin/keys_due.h"

#include "agent/admin/keys_commands.h"
#include "agent/keys/key_ages.h"
#include "agent/keys/ring_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/key_ring_read.h"

void
keys_due_add(json_t *list, const char *org, const char *what, const char *command)
{
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:s}", "org", org, "what", what, "command", command));
}

static void
list_key(json_t *keys, const char *org, const KeyRingKey *key, const char *mark)
{
    json_array_append_new(
        keys, json_pack("{s:s, s:s, s:s, s:s, s:I}", "org", org, "mark", mark, "role",
                        key_ring_roles[key->role], "state", key_ring_states[key->state], "age_days",
                        (json_int_t) key_ages_days(key->made, g_get_real_time())));
}

static void
look_at_key(json_t *due, const char *org, const KeyRingKey *key, const char *mark)
{
    const int64_t now_us = g_get_real_time();

    if (key_ages_rewrap_is_due(key)) {
        g_autofree char *what = g_strdup_printf("key %s only opens: re-wrap, then retire it", mark);

        keys_due_add(due, org, what, "sealtape keys rewrap");
    }
    if (key_ages_drill_is_due(key, now_us)) {
        g_autofree char *what = g_strdup_printf("nobody has tried break-glass key %s for %d days",
                                                mark, KEY_AGES_DRILL_DAYS);

        keys_due_add(due, org, what, "sealtape keys drill");
    }
    if (key_ages_rotation_is_due(key, now_us)) {
        g_autofree char *what =
            g_strdup_printf("key %s is over %d days old", mark, KEY_AGES_ROTATE_DAYS);

        keys_due_add(due, org, what, "sealtape keys rotate");
    }
}

static void
look_at_org(const Settings *settings, const OrgSettings *org, json_t *due, json_t *keys)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RingFile) file = ring_file_open(settings, org, &error);

    if (file == NULL)
        keys_due_add(due, org->id, error->message, "sealtape config check");
    for (guint i = 0; file != NULL && i < file->ring->keys->len; i++) {
        const KeyRingKey *key = file->ring->keys->pdata[i];
        g_autofree char *mark = age_seal_list_mark(key->recipient);

        look_at_key(due, org->id, key, mark);
        if (keys != NULL && key->state != KEY_RING_RETIRED && key->state != KEY_RING_DESTROYED)
            list_key(keys, org->id, key, mark);
    }
}

json_t *
keys_due_find(const Settings *settings, json_t *keys)
{
    json_t *due = json_array();

    for (guint i = 0; i < settings->orgs->len; i++)
        look_at_org(settings, settings->orgs->pdata[i], due, keys);
    return due;
}

static void
print(const json_t *due)
{
    size_t i = 0;
    const json_t *row = NULL;

    if (json_array_size(due) == 0)
        g_print("Nothing is due.\n");
    json_array_foreach(due, i, row)
    {
        g_print("%s: %s (`%s`)\n", json_string_value(json_object_get(row, "org")),
                json_string_value(json_object_get(row, "what")),
                json_string_value(json_object_get(row, "command")));
    }
}

int
keys_due_run(CommandContext *context, int argc, char **argv)
{
    const CommandSyntax syntax = {
        "keys due",
        "",
        "Tells what is to be done with the keys of every organisation: for a timer.\nExit code 3 "
        "if "
        "anything is.",
        NULL,
        0,
        0,
    };
    g_autoptr(GError) error = NULL;
    const Settings *settings = NULL;
    json_t *due = NULL;
    bool is_due = false;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    settings = command_context_settings(context, &error);
    if (settings == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    due = keys_due_find(settings, NULL);
    is_due = json_array_size(due) > 0;
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:o}", "due", due));
    } else {
        print(due);
        json_decref(due);
    }
    return is_due ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}
