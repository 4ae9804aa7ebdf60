#include "agent/admin/init_files.h"

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

/* Creates `folder`/`name`, never over another file. */
static bool
create_file(const char *folder, const char *name, mode_t mode, GBytes *content, GError **error)
{
    g_auto(Fd) dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return (dir >= 0 || fail_errno(error, "open", folder)) &&
           durable_file_create(dir, name, mode, content, error);
}

static bool
create_text(const char *folder, const char *name, mode_t mode, const char *text, GError **error)
{
    g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

    return create_file(folder, name, mode, content, error);
}

/* The bytes go from locked memory to the file without a copy. */
static bool
create_secret(const char *folder, const char *name, const Secret *secret, GError **error)
{
    g_autoptr(GBytes) content = g_bytes_new_static(secret_peek(secret), secret_length(secret));

    return create_file(folder, name, 0600, content, error);
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
    if (!create_secret(keys, name, file, error))
        return NULL;
    return g_strdup(age_recipient_text(recipient));
}

/* Makes `<program>.key` and `<program>.pub`. Returns: the verifier key, owned. */
static char *
make_signer(const char *keys, const char *program, GError **error)
{
    g_autofree char *name = g_strconcat(program, ".", g_get_host_name(), NULL);
    g_autofree char *secret_name = g_strconcat(program, ".key", NULL);
    g_autofree char *public_name = g_strconcat(program, ".pub", NULL);
    g_autoptr(NoteSigner) signer = note_signer_generate(
        g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-", '-'), error);
    g_autoptr(Secret) key = signer != NULL ? note_signer_to_text(signer, error) : NULL;
    g_autofree char *verifier_key = signer != NULL ? note_signer_verifier_key(signer) : NULL;
    g_autofree char *line = g_strconcat(verifier_key, "\n", NULL);

    if (key == NULL || !create_secret(keys, secret_name, key, error) ||
        !create_text(keys, public_name, 0644, line, error))
        return NULL;
    return g_steal_pointer(&verifier_key);
}

static bool
make_keys(InitFiles *self, const char *org, GError **error)
{
    g_autofree char *keys = g_build_filename(self->folder, "keys", NULL);
    g_autofree char *name = g_strconcat(org, ".key", NULL);
    g_autofree char *meaning =
        g_strconcat("organisation identity of ", org, ": opens its recordings", NULL);
    g_autofree char *access_key = NULL;

    self->org_identity_path = g_build_filename(keys, name, NULL);
    self->break_glass_path = g_build_filename(keys, "break-glass.key", NULL);
    self->org_recipient = make_identity(keys, name, meaning, error);
    if (self->org_recipient == NULL)
        return false;
    self->break_glass_recipient =
        make_identity(keys, "break-glass.key", "break-glass identity: keep offline", error);
    if (self->break_glass_recipient == NULL)
        return false;
    self->verifier_key = make_signer(keys, "recorder", error);
    if (self->verifier_key == NULL)
        return false;
    access_key = make_signer(keys, "access", error);
    return access_key != NULL;
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
        replace(replace(example("orgs/clinic-a.conf.example"), "AGE-RECIPIENT-OF-THE-ORGANISATION",
                        self->org_recipient),
                "AGE-RECIPIENT-FOR-BREAK-GLASS", self->break_glass_recipient);
    g_autofree char *identity = g_strconcat("keys/", org, ".key", NULL);
    g_autofree char *text = replace(replace(example("sealtape.conf.example"),
                                            "VERIFIER-KEY-OF-THE-RECORDER", self->verifier_key),
                                    "keys/clinic-a.key", identity);

    return create_text(orgs, name, 0644, org_text, error) &&
           create_text(self->folder, "sealtape.conf", 0644, text, error);
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
    g_free(self);
}
