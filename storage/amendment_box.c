/* 1. The amendment is written to `<session>-<part>` in the folder, and flushed.
 * 2. Envelope, object and note are put, in this order: what is listed is there, and opens.
 * 3. The file is removed. A crash before that puts the same bytes again, which changes nothing.
 *
 * A name that holds other bytes belongs to somebody who amended the session first. The envelope is
 * put first, so they meet there, and the loser leaves nothing behind but, at worst, an envelope
 * with a key for a track that never came. */
#include "storage/amendment_box.h"

#include "crypto/digest.h"
#include "storage/durable_file.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Digest of what follows; then organisation, session, generation, envelope, object, its bytes,
 * number of the part, its note. */
#define FORM "(ssuaysayuay)"

struct AmendmentBox {
    AmendmentBoxOptions options;
    char *folder;
    int folder_fd;
    GMutex mutex; /* held over each call */
};

AmendmentBox *
amendment_box_open(const AmendmentBoxOptions *options, GError **error)
{
    g_autoptr(AmendmentBox) self = g_new0(AmendmentBox, 1);

    self->options = *options;
    self->folder = g_strdup(options->folder);
    self->folder_fd = -1;
    g_mutex_init(&self->mutex);
    if (mkdir(self->folder, 0700) < 0 && errno != EEXIST) {
        (void) storage_fail_errno(error, "make", self->folder);
        return NULL;
    }
    self->folder_fd = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->folder_fd < 0) {
        (void) storage_fail_errno(error, "open", self->folder);
        return NULL;
    }
    return g_steal_pointer(&self);
}

static GVariant *
bytes_to_variant(GBytes *bytes)
{
    return g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static GBytes *
write_form(const Amendment *amendment)
{
    g_autoptr(GVariant) form = g_variant_ref_sink(g_variant_new(
        "(ssu@ays@ayu@ay)", amendment->org, amendment->session, amendment->generation,
        bytes_to_variant(amendment->envelope), amendment->object,
        bytes_to_variant(amendment->sealed), amendment->part, bytes_to_variant(amendment->note)));
    g_autoptr(GBytes) body = g_variant_get_data_as_bytes(form);
    const Digest digest = digest_of_bytes(body);
    GByteArray *file = g_byte_array_new();

    g_byte_array_append(file, digest.bytes, sizeof digest.bytes);
    g_byte_array_append(file, g_bytes_get_data(body, NULL), (guint) g_bytes_get_size(body));
    return g_byte_array_free_to_bytes(file);
}

/* What was read back; owns what the Amendment points to. */
typedef struct {
    GVariant *form;
    Amendment amendment;
    GBytes *bodies[3];
} Kept;

static void
kept_clear(Kept *self)
{
    for (size_t i = 0; i < G_N_ELEMENTS(self->bodies); i++) {
        g_clear_pointer(&self->bodies[i], g_bytes_unref);
    }
    g_clear_pointer(&self->form, g_variant_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Kept, kept_clear)

static GBytes *
child_bytes(GVariant *form, gsize n)
{
    g_autoptr(GVariant) child = g_variant_get_child_value(form, n);

    return g_variant_get_data_as_bytes(child);
}

static bool
read_form(Kept *self, const char *contents, gsize n_bytes)
{
    g_autoptr(GBytes) body = NULL;
    Amendment *to = &self->amendment;
    Digest digest;
    Digest kept;

    if (n_bytes <= sizeof digest.bytes)
        return false;
    body = g_bytes_new(contents + sizeof digest.bytes, n_bytes - sizeof digest.bytes);
    digest = digest_of_bytes(body);
    memcpy(kept.bytes, contents, sizeof kept.bytes);
    if (!digest_equal(&digest, &kept))
        return false;
    self->form = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(FORM), body, FALSE));
    if (!g_variant_is_normal_form(self->form))
        return false;
    self->bodies[0] = child_bytes(self->form, 3);
    self->bodies[1] = child_bytes(self->form, 5);
    self->bodies[2] = child_bytes(self->form, 7);
    g_variant_get_child(self->form, 0, "&s", &to->org);
    g_variant_get_child(self->form, 1, "&s", &to->session);
    g_variant_get_child(self->form, 2, "u", &to->generation);
    g_variant_get_child(self->form, 4, "&s", &to->object);
    g_variant_get_child(self->form, 6, "u", &to->part);
    to->envelope = self->bodies[0];
    to->sealed = self->bodies[1];
    to->note = self->bodies[2];
    return true;
}

/* Step 2. */
static bool
put_all(AmendmentBox *self, const Amendment *amendment, GError **error)
{
    g_autofree char *relative = g_strdup_printf("env/%u.age", amendment->generation);
    g_autofree char *envelope = object_key_join(amendment->org, amendment->session, relative);
    g_autofree char *object =
        object_key_join(amendment->org, amendment->session, amendment->object);
    g_autofree char *note =
        object_key_manifest(amendment->org, amendment->session, amendment->part);

    return object_store_put(self->options.store, envelope, amendment->envelope, error) &&
           object_store_put(self->options.store, object, amendment->sealed, error) &&
           object_store_put(self->options.store, note, amendment->note, error);
}

/* Steps 2 and 3. `error` is for the caller to judge; a conflict ends it as well. */
static bool
carry_out(AmendmentBox *self, const char *name, const Amendment *amendment, GError **error)
{
    GError *cause = NULL;
    const bool is_stored = put_all(self, amendment, &cause);

    if (is_stored && self->options.on_stored != NULL)
        self->options.on_stored(amendment, self->options.user_data);
    if (is_stored || g_error_matches(cause, STORAGE_ERROR, STORAGE_ERROR_CONFLICT)) {
        if (unlinkat(self->folder_fd, name, 0) < 0)
            g_warning("cannot remove %s/%s: %s", self->folder, name, g_strerror(errno));
    }
    if (cause != NULL)
        g_propagate_error(error, cause);
    return is_stored;
}

static bool
keep_and_put(AmendmentBox *self, const Amendment *amendment, bool *is_stored, GError **error)
{
    g_autofree char *name = g_strdup_printf("%s-%u", amendment->session, amendment->part);
    g_autoptr(GBytes) form = write_form(amendment);
    g_autoptr(GError) cause = NULL;

    /* Not replaced: the one that waits was promised to somebody. */
    if (!durable_file_create(self->folder_fd, name, 0600, form, error))
        return false;
    *is_stored = carry_out(self, name, amendment, &cause);
    if (g_error_matches(cause, STORAGE_ERROR, STORAGE_ERROR_CONFLICT)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    if (cause != NULL) {
        g_warning("session %s: %s; what amends it waits in %s", amendment->session, cause->message,
                  self->folder);
    }
    return true;
}

bool
amendment_box_add(AmendmentBox *self, const Amendment *amendment, bool *is_stored, GError **error)
{
    bool is_kept = false;

    g_mutex_lock(&self->mutex);
    is_kept = keep_and_put(self, amendment, is_stored, error);
    g_mutex_unlock(&self->mutex);
    return is_kept;
}

/* Returns: whether it still waits. */
static bool
retry(AmendmentBox *self, const char *name)
{
    g_autofree char *path = g_build_filename(self->folder, name, NULL);
    g_autofree char *contents = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(Kept) kept = {0};
    gsize n_bytes = 0;

    if (!g_file_get_contents(path, &contents, &n_bytes, &error)) {
        g_warning("%s", error->message);
        return true;
    }
    if (!read_form(&kept, contents, n_bytes)) {
        g_critical("%s is damaged: what it adds to its session is not in the store; move it away "
                   "once somebody has looked",
                   path);
        return true;
    }
    if (carry_out(self, name, &kept.amendment, &error))
        return false;
    if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT)) {
        g_critical("session %s: %s; what was to be added to it is given up", kept.amendment.session,
                   error->message);
        return false;
    }
    g_warning("session %s: %s; trying again", kept.amendment.session, error->message);
    return true;
}

unsigned
amendment_box_retry(AmendmentBox *self)
{
    g_autoptr(GDir) folder = NULL;
    g_autoptr(GError) error = NULL;
    const char *name = NULL;
    unsigned n_waiting = 0;

    g_mutex_lock(&self->mutex);
    folder = g_dir_open(self->folder, 0, &error);
    if (folder == NULL)
        g_warning("%s", error->message);
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        /* What a crash left half written was promised to nobody. */
        if (g_str_has_suffix(name, ".partial")) {
            (void) unlinkat(self->folder_fd, name, 0);
        } else {
            n_waiting += retry(self, name) ? 1 : 0;
        }
    }
    g_mutex_unlock(&self->mutex);
    return n_waiting;
}

void
amendment_box_free(AmendmentBox *self)
{
    if (self == NULL)
        return;
    if (self->folder_fd >= 0)
        (void) close(self->folder_fd); /* a folder: nothing to flush */
    g_mutex_clear(&self->mutex);
    g_free(self->folder);
    g_free(self);
}
