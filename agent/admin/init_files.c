#include "agent/admin/init_files.h"

#include "agent/admin/signer_files.h"
#include "agent/audit/pseudonym.h"
#include "crypto/age_key.h"
#include "crypto/signed_note.h"
#include "storage/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Generated from the examples in config/, so that what is made says the same. */
GResource *examples_get_resource(void);

static const char *const folders[] = {"keys", "orgs", "store", "spool", "run"};

static bool
fail_errno(GError **error, const char *action, const char *path)
{
    int code = errno;

    g_set_error(error, G_FILE_ERROR, (int) g_file_error_from_errno(code), "cannot %s %s: %s",
                action, path, g_strerror(code));
    return false;
}

static bool
fail_if_there(const char *folder, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                "%s is already there, and init overwrites nothing: name another folder", path);
    return false;
}

/* A socket's path is short by nature; better said now than when the recorder starts. */
static bool
check_folder(const char *folder, GError **error)
{
    g_autofree char *socket = g_build_filename(folder, "run", "recorder.sock", NULL);

    if (strlen(socket) >= sizeof(((struct sockaddr_un *) NULL)->sun_path)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG,
                    "%s is too long for a socket: name a folder with a shorter path", socket);
        return false;
    }
    if (!fail_if_there(folder, "sealtape.conf", error))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        if (!fail_if_there(folder, folders[i], error))
            return false;
    }
    return true;
}

static bool
make_folders(const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0755) != 0)
        return fail_errno(error, "make", folder);
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(folder, folders[i], NULL);

        if (g_mkdir(path, 0700) != 0)
            return fail_errno(error, "make", path);
    }
    return true;
}

/* Makes an identity file as age-keygen would. Returns: its recipient, owned. */
static char *
make_identity(const char *keys, const char *name, const char *meaning, GError **error)
{
    g_autoptr(AgeIdentity) identity = age_identity_generate(error);
    g_autoptr(AgeRecipient) recipient = identity != NULL ? age_identity_recipient(identity) : NULL;
    g_autoptr(Secret) key = identity != NULL ? age_identity_to_text(identity, error) : NULL;
    g_autoptr(Secret) file = NULL;
    g_autofree char *head = NULL;

    if (key == NULL)
        return NULL;
    head = g_strdup_printf("# %s\n# public key: %s\n", meaning, age_recipient_text(recipient));
    file = secret_new_zero(strlen(head) + secret_length(key), error);
    if (file == NULL)
        return NULL;
    memcpy(secret_bytes(file), head, strlen(head));
    memcpy(secret_bytes(file) + strlen(head), secret_peek(key), secret_length(key));
    if (!signer_files_put_secret(keys, name, file, error))
        return NULL;
    return g_strdup(age_recipient_text(recipient));
}

/* Each program signs with a key of its own, so that a record tells whose it is. */
static bool
make_signers(InitFiles *self, const char *keys, GError **error)
{
    self->verifier_key = signer_files_make(keys, "recorder", error);
    if (self->verifier_key == NULL)
        return false;
    self->opener_key = signer_files_make(keys, "access", error);
    if (self->opener_key == NULL)
        return false;
    self->admin_key = signer_files_make(keys, "admin", error);
    return self->admin_key != NULL;
}

static bool
make_pseudonym_key(const char *keys, GError **error)
{
    g_autoptr(Secret) key = pseudonym_key_generate(error);

    return key != NULL && signer_files_put_secret(keys, "pseudonym.key", key, error);
}

static bool
make_keys(InitFiles *self, const char *org, GError **error)
{
    g_autofree char *keys = g_build_filename(self->folder, "keys", NULL);
    g_autofree char *name = g_strconcat(org, ".key", NULL);
    g_autofree char *meaning =
        g_strconcat("organisation identity of ", org, ": opens its recordings", NULL);

    self->org_identity_path = g_build_filename(keys, name, NULL);
    self->break_glass_path = g_build_filename(keys, "break-glass.key", NULL);
    self->org_recipient = make_identity(keys, name, meaning, error);
    if (self->org_recipient == NULL)
        return false;
    self->break_glass_recipient =
        make_identity(keys, "break-glass.key", "break-glass identity: keep offline", error);
    if (self->break_glass_recipient == NULL)
        return false;
    return make_signers(self, keys, error) && make_pseudonym_key(keys, error);
}

/* Returns: the example file's text with `what` replaced, owned. */
static char *
replace(char *text, const char *what, const char *with)
{
    g_autofree char *before = text;
    g_auto(GStrv) pieces = g_strsplit(before, what, -1);

    g_assert(g_strv_length(pieces) == 2);
    return g_strjoinv(with, pieces);
}

static char *
example(const char *name)
{
    g_autofree char *path = g_strconcat("/sealtape/", name, NULL);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(examples_get_resource(), path, 0, NULL);

    g_assert(bytes != NULL);
    return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static bool
make_settings(const InitFiles *self, const char *org, GError **error)
{
    g_autofree char *orgs = g_build_filename(self->folder, "orgs", NULL);
    g_autofree char *name = g_strconcat(org, ".conf", NULL);
    g_autofree char *org_text =
        replace(replace(replace(example("orgs/clinic-a.conf.example"),
                                "AGE-RECIPIENT-OF-THE-ORGANISATION", self->org_recipient),
                        "AGE-RECIPIENT-FOR-BREAK-GLASS", self->break_glass_recipient),
                "USER-OF-THIS-HOST", g_get_user_name());
    g_autofree char *identity = g_strconcat("keys/", org, ".key", NULL);
    const char *const changes[][2] = {
        {"VERIFIER-KEY-OF-THE-RECORDER",     self->verifier_key},
        {"VERIFIER-KEY-OF-THE-OPENER",       self->opener_key  },
        {"VERIFIER-KEY-OF-THE-COMMAND-LINE", self->admin_key   },
        {"keys/clinic-a.key",                identity          },
    };
    g_autofree char *text = example("sealtape.conf.example");

    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        text = replace(text, changes[i][0], changes[i][1]);

    return signer_files_put_text(orgs, name, 0644, org_text, error) &&
           signer_files_put_text(self->folder, "sealtape.conf", 0644, text, error);
}

InitFiles *
init_files_make(const char *folder, const char *org, GError **error)
{
    g_autoptr(InitFiles) self = g_new0(InitFiles, 1);

    self->folder = g_canonicalize_filename(folder, NULL);
    self->config_path = g_build_filename(self->folder, "sealtape.conf", NULL);
    if (!check_folder(self->folder, error) || !make_folders(self->folder, error) ||
        !make_keys(self, org, error) || !make_settings(self, org, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
init_files_free(InitFiles *self)
{
    if (self == NULL)
        return;
    g_free(self->folder);
    g_free(self->config_path);
    g_free(self->org_identity_path);
    g_free(self->break_glass_path);
    g_free(self->org_recipient);
    g_free(self->break_glass_recipient);
    g_free(self->verifier_key);
    g_free(self->opener_key);
    g_free(self->admin_key);
    g_free(self);
}
