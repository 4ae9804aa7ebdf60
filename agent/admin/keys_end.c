#include "agent/admin/keys_commands.h"
#include "agent/admin/keys_pass.h"
#include "agent/admin/keys_work.h"
#include "agent/admin/shred.h"
#include "agent/admin/terminal.h"
#include "agent/keys/seal_scan.h"
#include "agent/playback/identity_files.h"
#include "crypto/age_seal_list.h"
#include "crypto/crypto_error.h"
#include "crypto/key_ring_read.h"

#include <inttypes.h>

/* `retire` and `destroy`, in this order:
 *  1. the key is in the state before;
 *  2. everything that is sealed is looked at: nothing may need it;
 *  3. the audit record;
 *  4. `destroy`: the file is shredded;
 *  5. the next version of the ring. */

typedef struct {
    KeysWork work;
    KeyRingState state; /* to which */
    KeyRingKey *key;
    char **identities;
    gint n_jobs;
    char *file; /* `destroy`: what is shredded */
    char *gone; /* in place of an identity: why there is none */
} Ending;

static bool
check_state(const Ending *self, GError **error)
{
    const KeyRingState needed =
        self->state == KEY_RING_RETIRED ? KEY_RING_OPEN_ONLY : KEY_RING_RETIRED;

    if (self->key->state == needed)
        return true;
    return crypto_fail(
        error, CRYPTO_ERROR_MALFORMED, "%s is %s, and only a key that is %s can be %s: %s",
        self->key->recipient, key_ring_states[self->key->state], key_ring_states[needed],
        key_ring_states[self->state],
        self->key->state == KEY_RING_ACTIVE
            ? "rotate first"
            : (self->key->state > needed ? "that is done already" : "retire it first"));
}

/* Returns: the identity of the key alone, owned; empty if it is said to be gone. */
static GPtrArray *
own_identities(const Ending *self, GPtrArray *identities, GError **error)
{
    GPtrArray *own = keys_work_identities_of(identities, self->key->recipient);

    if (self->file != NULL && own->len > 0 && identities->len != 1) {
        g_ptr_array_unref(own);
        crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                    "%s holds other identities too, which would be shredded with it", self->file);
        return NULL;
    }
    if (own->len > 0 || self->gone != NULL)
        return own;
    g_ptr_array_unref(own);
    crypto_fail(
        error, CRYPTO_ERROR_NO_MATCH,
        "give the identity of %s, which is asked whether it still opens anything; if nobody "
        "has it any more, say so with --gone and why",
        self->key->recipient);
    return NULL;
}

static bool
judge(const Ending *self, const SealScanResult *result, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    if (result->n_needing == 0 && result->n_unknown == 0)
        return true;
    for (guint i = 0; i < result->examples->len; i++)
        g_string_append_printf(names, "\n  %s", (const char *) result->examples->pdata[i]);
    if (result->n_needing > 0) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "%" PRIu64 " of %" PRIu64
                           " sealed objects still need %s (`sealtape keys "
                           "rewrap` first):%s",
                           result->n_needing, result->n_objects, self->key->recipient, names->str);
    }
    return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                       "%" PRIu64 " of %" PRIu64
                       " sealed objects do not say whom they are sealed to, "
                       "and without the key's identity nobody can tell (`sealtape keys rewrap` "
                       "first):%s",
                       result->n_unknown, result->n_objects, names->str);
}

/* Step 2. */
static bool
scan(Ending *self, GError **error)
{
    g_autoptr(GPtrArray) identities = keys_work_identities(self->identities, error);
    g_autoptr(GPtrArray) own = identities != NULL ? own_identities(self, identities, error) : NULL;
    SealScanResult result = {0};
    SealScan what = {
        .org = self->work.org->id,
        .recipient = self->key->recipient,
        .identities = own,
        .n_threads = (unsigned) self->n_jobs,
        .on_progress = keys_pass_on_progress,
        .user_data = (void *) "scanning",
    };
    bool is_good = false;

    what.store = own != NULL ? command_context_store(self->work.context, error) : NULL;
    if (what.store == NULL)
        return false;
    is_good = seal_scan(&what, &result, error);
    terminal_progress_end();
    is_good = is_good && judge(self, &result, error);
    seal_scan_result_clear(&result);
    return is_good;
}

/* Steps 3 to 5. */
static bool
end_key(Ending *self, GError **error)
{
    g_autofree char *mark = age_seal_list_mark(self->key->recipient);
    const AuditEvent event = {
        .kind = self->state == KEY_RING_RETIRED ? AUDIT_KEY_RETIRED : AUDIT_KEY_DESTROYED,
        .key = mark,
        .reason = self->gone,
    };
    g_autoptr(KeyRing) next = keys_work_next(&self->work);

    if (!command_context_audit(self->work.context, self->work.org->id, &event, error) ||
        (self->file != NULL && !shred_file(self->file, error)))
        return false;
    keys_work_set_state(key_ring_find(next, self->key->recipient), self->state);
    return keys_work_write(&self->work, next, error);
}

static bool
run(Ending *self, CommandContext *context, const char *org, const char *name, GError **error)
{
    if (!keys_work_open(&self->work, context, org, error))
        return false;
    self->key = keys_work_find(self->work.file->ring, name, error);
    return self->key != NULL && check_state(self, error) &&
           (self->file == NULL || shred_check(self->file, error)) && scan(self, error) &&
           end_key(self, error);
}

static void
print(const Ending *self, const char *name)
{
    const KeyRing *ring = self->work.file->ring;

    if (command_context_as_json(self->work.context)) {
        command_context_print_json(json_pack("{s:s, s:i, s:s, s:s}", "org", ring->org, "version",
                                             (int) ring->version, "key", name, "state",
                                             key_ring_states[self->state]));
        return;
    }
    g_print("%s is %s: nothing that is kept needs it.\n", name, key_ring_states[self->state]);
    if (self->file != NULL) {
        g_print(
            "%s was overwritten and removed. What that can not reach: copies of the file, "
            "backups,\n"
            "snapshots, and what a solid-state disk or a copy-on-write file system keeps of old "
            "blocks.\n",
            self->file);
    } else if (self->state == KEY_RING_DESTROYED) {
        g_print("Nothing was shredded here: that it is gone is what was said (%s).\n", self->gone);
    }
}

/* Returns: NULL, or one sentence (static). */
static const char *
fault_of(const Ending *self)
{
    if (self->gone != NULL && *self->gone == '\0')
        return "--gone needs words: why nobody has the identity any more";
    if (self->gone != NULL && self->identities != NULL)
        return "--gone says that there is no identity: do not give one";
    if (self->gone == NULL && self->identities == NULL)
        return "--identity FILE is missing, or --gone and why there is none";
    if (self->state == KEY_RING_DESTROYED && self->identities != NULL &&
        identity_files_is_remote(self->identities[0])) {
        return "a key that lies in a token or a vault is deleted with its own tools: then say "
               "--gone";
    }
    return NULL;
}

static int
end(CommandContext *context, KeyRingState state, int argc, char **argv)
{
    const bool destroys = state == KEY_RING_DESTROYED;
    Ending self = {.state = state, .n_jobs = KEYS_PASS_JOBS};
    g_autofree char *org = NULL;
    const GOptionEntry entries[] = {
        {"org",      0, 0, G_OPTION_ARG_STRING,         &org,             "The organisation",                      "ID"  },
        {"identity", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &self.identities,
         "Of the key itself, which is asked",                                                                      "FILE"},
        {"gone",     0, 0, G_OPTION_ARG_STRING,         &self.gone,       "Nobody has its identity any more: why",
         "TEXT"                                                                                                          },
        KEYS_PASS_JOBS_OPTION(&self.n_jobs),
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        destroys ? "keys destroy" : "keys retire",
        "KEY (--identity FILE | --gone TEXT)",
        destroys ? "Shreds the identity file of a retired key, once more only if nothing needs it. "
                   "A key "
                   "in a token is\ndeleted with the token's own tools, before: then say --gone."
                 : "Ends a key that only opens. Refuses, and shows which, while anything is sealed "
                   "to it.",
        entries,
        1,
        1,
    };
    g_autoptr(GError) error = NULL;
    int status = EXIT_CODE_USAGE;

    if (command_context_parse(context, &syntax, &argc, argv)) {
        if (fault_of(&self) != NULL) {
            g_printerr("sealtape %s: %s\n", syntax.name, fault_of(&self));
        } else if (keys_pass_take_jobs(syntax.name, self.n_jobs)) {
            self.file = destroys && self.identities != NULL ? self.identities[0] : NULL;
            status = run(&self, context, org, argv[1], &error)
                         ? EXIT_CODE_OK
                         : command_context_fail(context, g_steal_pointer(&error));
        }
    }
    if (status == EXIT_CODE_OK)
        print(&self, argv[1]);
    keys_work_clear(&self.work);
    g_strfreev(self.identities);
    g_free(self.gone);
    return status;
}

int
keys_retire_run(CommandContext *context, int argc, char **argv)
{
    return end(context, KEY_RING_RETIRED, argc, argv);
}

int
keys_destroy_run(CommandContext *context, int argc, char **argv)
{
    return end(context, KEY_RING_DESTROYED, argc, argv);
}
