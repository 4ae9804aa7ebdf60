#include "agent/admin/keys_commands.h"
#include "agent/admin/keys_work.h"
#include "agent/admin/new_identity.h"
#include "agent/keys/key_challenge.h"
#include "agent/playback/identity_files.h"
#include "crypto/age_key.h"
#include "crypto/age_seal_list.h"
#include "crypto/crypto_error.h"
#include "crypto/key_ring_read.h"

#include <string.h>

/* `new` and `rotate`, in this order:
 *  1. the key: drawn and written to a file, or one whose secret half lies elsewhere;
 *  2. proof that it opens: a challenge, or a person's word;
 *  3. the audit record;
 *  4. the next version of the ring. From then on, after a reload of the recorder, new sessions are
 *     sealed to it. */

typedef struct {
    char *org;
    char *role;
    char *output;
    char *recipient;
    char **identities;
    char *escrow;
} NewOptions;

typedef struct {
    const NewOptions *options;
    KeysWork work;
    KeyRingRole role;
    KeyRingProof proof;
    bool is_rotation;
    char *recipient;
} NewKey;

static void
clear(NewOptions *options, NewKey *self)
{
    g_free(options->org);
    g_free(options->role);
    g_free(options->output);
    g_free(options->recipient);
    g_strfreev(options->identities);
    g_free(options->escrow);
    keys_work_clear(&self->work);
    g_free(self->recipient);
}

/* Returns: NULL, or one sentence (static). */
static const char *
fault_of(const NewOptions *options, NewKey *self)
{
    const bool names_key = options->output != NULL || options->recipient != NULL;

    self->role = KEY_RING_ORGANISATION;
    if (options->role != NULL && strcmp(options->role, "break-glass") == 0) {
        self->role = KEY_RING_BREAK_GLASS;
    } else if (options->role != NULL && strcmp(options->role, "organisation") != 0) {
        return "--role is `organisation` or `break-glass`";
    }
    if (options->output != NULL && options->recipient != NULL)
        return "--output makes a key, --recipient names one: give one of them";
    if (self->is_rotation && !names_key) {
        return "give --output FILE for a key to be made, or --recipient for one that lies "
               "elsewhere";
    }
    if (options->recipient == NULL && (options->identities != NULL || options->escrow != NULL))
        return "--identity and --escrow are about the key that --recipient names";
    return NULL;
}

/* Step 2, for a key that lies elsewhere. */
static bool
prove(NewKey *self, char **paths, GError **error)
{
    g_autoptr(GPtrArray) identities = keys_work_identities(paths, error);
    g_autoptr(GError) fault = NULL;

    if (identities == NULL)
        return false;
    self->proof = KEY_RING_OPENED;
    if (identities->len > 0 && key_challenge_pass(self->recipient, identities, &fault))
        return true;
    if (identities->len == 0 && self->options->escrow != NULL && *self->options->escrow != '\0') {
        self->proof = KEY_RING_ESCROW;
        return true;
    }
    if (fault != NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&fault),
                                   "%s does not open with what --identity gives, so nothing is "
                                   "sealed to it: ",
                                   self->recipient);
        return false;
    }
    return crypto_fail(error, CRYPTO_ERROR_NO_MATCH,
                       "nobody has shown that %s can be opened: give its --identity, or say with "
                       "--escrow where its secret half is kept",
                       self->recipient);
}

/* A token or a Transit engine says itself what its public half is; of several versions the newest
 * is the key. */
static bool
take_remote(NewKey *self, GError **error)
{
    char *uris[] = {self->options->recipient, NULL};
    g_autoptr(GPtrArray) identities = keys_work_identities(uris, error);
    g_autoptr(AgeRecipient) own =
        identities != NULL ? age_identity_recipient(identities->pdata[identities->len - 1]) : NULL;

    if (own == NULL)
        return false;
    self->recipient = g_strdup(age_recipient_text(own));
    self->proof = KEY_RING_OPENED;
    return key_challenge_pass(self->recipient, identities, error);
}

/* Steps 1 and 2. */
static bool
take_key(NewKey *self, GError **error)
{
    const NewOptions *options = self->options;
    char *paths[] = {options->output, NULL};
    g_autofree char *meaning = NULL;

    if (options->recipient != NULL && identity_files_is_remote(options->recipient))
        return take_remote(self, error);
    if (options->recipient != NULL) {
        g_autoptr(AgeRecipient) recipient = age_recipient_parse(options->recipient, error);

        if (recipient == NULL) {
            g_prefix_error(error, "--recipient: ");
            return false;
        }
        self->recipient = g_strdup(options->recipient);
        return prove(self, options->identities, error);
    }
    meaning = g_strdup_printf("%s identity of %s", key_ring_roles[self->role], self->work.org->id);
    self->recipient = new_identity_create(options->output, meaning, error);
    return self->recipient != NULL && prove(self, paths, error);
}

/* Returns: the next version, owned; NULL if the key is in it already. */
static KeyRing *
add_key(const NewKey *self, GError **error)
{
    g_autoptr(KeyRing) next = keys_work_next(&self->work);
    KeyRingKey *key = NULL;

    if (key_ring_find(next, self->recipient) != NULL) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "%s is in the key ring already",
                    self->recipient);
        return NULL;
    }
    for (guint i = 0; self->is_rotation && i < next->keys->len; i++) {
        KeyRingKey *old = g_ptr_array_index(next->keys, i);

        if (old->role == self->role && old->state == KEY_RING_ACTIVE)
            keys_work_set_state(old, KEY_RING_OPEN_ONLY);
    }
    key = key_ring_add(next, self->recipient, self->role, next->made);
    key->proof = self->proof;
    return g_steal_pointer(&next);
}

static bool
run(NewKey *self, GError **error)
{
    const char *org = self->work.org->id;
    g_autofree char *mark = NULL;
    g_autoptr(KeyRing) next = NULL;
    AuditEvent event = {.kind = self->is_rotation ? AUDIT_KEY_ROTATED : AUDIT_KEY_CREATED};

    if (!keys_work_adopt(&self->work, error))
        return false;
    if (self->options->output == NULL && self->options->recipient == NULL)
        return true; /* the ring alone was asked for */
    if (!take_key(self, error))
        return false;
    mark = age_seal_list_mark(self->recipient);
    event.new_key = mark;
    event.detail = key_ring_proofs[self->proof];
    event.reason = self->options->escrow;
    next = add_key(self, error);
    return next != NULL && command_context_audit(self->work.context, org, &event, error) &&
           keys_work_write(&self->work, next, error);
}

static void
print(const NewKey *self)
{
    const KeyRing *ring = self->work.file->ring;

    if (command_context_as_json(self->work.context)) {
        command_context_print_json(json_pack("{s:s, s:i, s:s?}", "org", ring->org, "version",
                                             (int) ring->version, "recipient", self->recipient));
        return;
    }
    g_print("Key ring of %s, version %u.\n", ring->org, ring->version);
    if (self->recipient == NULL)
        return;
    g_print("New sessions are sealed to %s as soon as the recorder reads its settings again\n"
            "(systemctl reload sealtaped). A session that runs stays whole.\n",
            self->recipient);
    if (self->options->output != NULL) {
        g_print("Its secret half is %s: bring it to where recordings are opened%s.\n",
                self->options->output,
                self->role == KEY_RING_BREAK_GLASS ? " in an emergency, and keep it offline" : "");
    }
    if (self->is_rotation) {
        g_print(
            "Recordings made before are still sealed to the old key: `sealtape keys rewrap`.\n");
    }
}

static int
make(CommandContext *context, bool is_rotation, int argc, char **argv)
{
    NewOptions options = {0};
    const GOptionEntry entries[] = {
        {"org",       0, 0, G_OPTION_ARG_STRING,         &options.org,        "The organisation",                       "ID"  },
        {"role",      0, 0, G_OPTION_ARG_STRING,         &options.role,       "organisation (default), or break-glass",
         "ROLE"                                                                                                               },
        {"output",    0, 0, G_OPTION_ARG_FILENAME,       &options.output,
         "Make an identity, in this new file",                                                                          "FILE"},
        {"recipient", 0, 0, G_OPTION_ARG_STRING,         &options.recipient,
         "The public half of one that lies elsewhere: age1..., age1tag1..., or where it lies: "
         "pkcs11:..., transit:...",                                                                                     "KEY" },
        {"identity",  0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.identities,
         "Opens a challenge, as proof that it can be opened",                                                           "FILE"},
        {"escrow",    0, 0, G_OPTION_ARG_STRING,         &options.escrow,
         "In place of that proof: where its secret half is kept",                                                       "TEXT"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        is_rotation ? "keys rotate" : "keys new",
        is_rotation ? "(--output FILE | --recipient KEY)" : "[--output FILE | --recipient KEY]",
        is_rotation
            ? "Seals new sessions to a new key in place of the one of its role, which from then on "
              "only opens.\nWhat was recorded before stays as it is: `sealtape keys rewrap`."
            : "Adds a key that new sessions are sealed to as well. Without one, only makes the key "
              "ring out of\nthe recipients in the organisation's file, which the ring replaces.",
        entries,
        0,
        0,
    };
    NewKey self = {.options = &options, .is_rotation = is_rotation};
    g_autoptr(GError) error = NULL;
    const char *fault = NULL;
    int status = EXIT_CODE_USAGE;

    if (command_context_parse(context, &syntax, &argc, argv)) {
        fault = fault_of(&options, &self);
        if (fault != NULL) {
            g_printerr("sealtape %s: %s\n", syntax.name, fault);
        } else if (!keys_work_open(&self.work, context, options.org, &error) ||
                   !run(&self, &error)) {
            status = command_context_fail(context, g_steal_pointer(&error));
        } else {
            print(&self);
            status = EXIT_CODE_OK;
        }
    }
    clear(&options, &self);
    return status;
}

int
keys_new_run(CommandContext *context, int argc, char **argv)
{
    return make(context, false, argc, argv);
}

int
keys_rotate_run(CommandContext *context, int argc, char **argv)
{
    return make(context, true, argc, argv);
}
