#include "storage/audit_log.h"

#include "storage/audit_lines.h"
#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opening: lock; read every line into the tree; hold the tree, as it was at the size of the last
 * checkpoint, against that checkpoint; cut off what a crash left of a line. Only then may anything
 * be appended, or a forged log would get a genuine signature.
 *
 * Appending: one write, one flush. If the write fails the file is cut back to where it was; where
 * that fails too, as on a disk that may only be read, it is tried again before the next record. If
 * the flush fails nobody knows what the disk holds: the log is broken until it is opened again. */

enum { MAX_WORDS_BYTES = 14336, LOOK_AGAIN_MS = 20 };

struct AuditLog {
    char *origin;
    char *file_word, *checkpoint_name;
    const NoteSigner *signer;
    Fd folder;
    Fd file;
    GMutex lock;
    struct {
        MerkleTree tree;
        uint64_t n_signed;
        GBytes *checkpoint;
        off_t n_bytes;
        int64_t last_unix_us;
        bool is_torn; /* behind `n_bytes` lies what is no record */
        bool is_broken;
    } locked;
};

static bool
fail_corrupt(const AuditLog *self, GError **error, const char *sentence)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "audit log %s: %s", self->origin,
                sentence);
    return false;
}

/* Keys may have any case, names of objects may not. */
char *
audit_log_word_of(const char *key_name)
{
    g_autofree char *lower = g_ascii_strdown(key_name, -1);

    return g_strdup(g_strcanon(lower, "abcdefghijklmnopqrstuvwxyz0123456789.-_", '-'));
}

static GPtrArray *
own_verifier(const NoteSigner *signer, GError **error)
{
    g_autofree char *key = note_signer_verifier_key(signer);
    g_autoptr(GPtrArray) verifiers =
        g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);
    NoteVerifier *verifier = note_verifier_parse(key, error);

    if (verifier == NULL)
        return NULL;
    g_ptr_array_add(verifiers, verifier);
    return g_steal_pointer(&verifiers);
}

/* Returns: the file's bytes, owned; NULL without an error if it is not there. */
static GBytes *
read_file(int folder, const char *name, GError **error)
{
    g_auto(Fd) file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(GMappedFile) mapped = NULL;

    if (file < 0 && errno == ENOENT)
        return NULL;
    if (file < 0) {
        (void) storage_fail_errno(error, "open", name);
        return NULL;
    }
    mapped = g_mapped_file_new_from_fd(file, FALSE, error);
    return mapped == NULL ? NULL : g_mapped_file_get_bytes(mapped);
}

/* Returns: false sets `error`. Without a checkpoint `self` stays empty. */
static bool
read_checkpoint(AuditLog *self, Checkpoint *checkpoint, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GBytes) note = read_file(self->folder, self->checkpoint_name, &reason);
    g_autoptr(GPtrArray) verifiers = NULL;

    if (reason != NULL) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    if (note == NULL)
        return true;
    verifiers = own_verifier(self->signer, error);
    if (verifiers == NULL)
        return false;
    if (!checkpoint_open(checkpoint, note, verifiers, &reason))
        return fail_corrupt(self, error, "its last checkpoint is not signed by this recorder");
    if (strcmp(checkpoint->origin, self->origin) != 0)
        return fail_corrupt(self, error, "its last checkpoint is another log's");
    self->locked.n_signed = checkpoint->n_leaves;
    /* Not the mapped file, which the next checkpoint replaces. */
    self->locked.checkpoint = g_bytes_new(g_bytes_get_data(note, NULL), g_bytes_get_size(note));
    return true;
}

/* Holds the tree against the checkpoint once it has its size. */
static bool
on_line(const AuditLines *lines, const char *line, size_t n_bytes, void *user_data, GError **error)
{
    const Checkpoint *checkpoint = user_data;
    Digest root;

    if (lines->tree.n_leaves != checkpoint->n_leaves)
        return true;
    root = merkle_tree_root(&lines->tree);
    if (digest_equal(&root, &checkpoint->root))
        return true;
    g_set_error_literal(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "records that were signed have been changed");
    return false;
}

static bool
read_lines(AuditLog *self, Checkpoint *checkpoint, GBytes *content, GError **error)
{
    AuditLines lines = {0};

    if (!audit_lines_read(&lines, content, on_line, checkpoint, error)) {
        g_prefix_error(error, "audit log %s: ", self->origin);
        return false;
    }
    self->locked.tree = lines.tree;
    self->locked.n_bytes = (off_t) lines.n_bytes;
    self->locked.last_unix_us = lines.last_unix_us;
    return true;
}

static bool
read_log(AuditLog *self, const char *name, GError **error)
{
    g_auto(Checkpoint) checkpoint = {0};
    g_autoptr(GError) reason = NULL;
    g_autoptr(GBytes) content = NULL;
    g_autofree char *sentence = NULL;

    if (!read_checkpoint(self, &checkpoint, error))
        return false;
    content = read_file(self->folder, name, &reason);
    if (reason != NULL) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    if (content != NULL && !read_lines(self, &checkpoint, content, error))
        return false;
    if (self->locked.tree.n_leaves < checkpoint.n_leaves) {
        sentence = g_strdup_printf("it has %" G_GUINT64_FORMAT " records and %" G_GUINT64_FORMAT
                                   " were signed: its end is gone",
                                   self->locked.tree.n_leaves, checkpoint.n_leaves);
        return fail_corrupt(self, error, sentence);
    }
    if (content == NULL || (gsize) self->locked.n_bytes == g_bytes_get_size(content))
        return true;
    g_message("audit log %s: a record that a crash cut short is gone; nobody was told that it was "
              "kept",
              self->origin);
    if (ftruncate(self->file, self->locked.n_bytes) == 0 && fsync(self->file) == 0)
        return true;
    return storage_fail_errno(error, "cut the torn end of", name);
}

static bool
open_folder(AuditLog *self, const AuditLogOptions *options, GError **error)
{
    g_autofree char *path = g_build_filename(options->folder, options->org, NULL);

    if (g_mkdir_with_parents(path, 0700) != 0)
        return storage_fail_errno(error, "create", path);
    self->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->folder < 0)
        return storage_fail_errno(error, "open", path);
    return true;
}

/* Whoever holds it holds it for a record; there is no call that waits for a lock only so long. */
static bool
take_lock(int file, unsigned wait_ms)
{
    const int64_t until_us = g_get_monotonic_time() + (int64_t) wait_ms * 1000;

    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (g_get_monotonic_time() >= until_us)
            return false;
        (void) poll(NULL, 0, LOOK_AGAIN_MS);
    }
    return true;
}

static bool
open_file(AuditLog *self, const char *name, unsigned wait_ms, GError **error)
{
    const int flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC;

    self->file = openat(self->folder, name, flags, 0600);
    if (self->file < 0)
        return storage_fail_errno(error, "open", name);
    if (!take_lock(self->file, wait_ms)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY,
                    "audit log %s: another process writes it", self->origin);
        return false;
    }
    /* The name itself lives in the folder. */
    if (fsync(self->folder) != 0)
        return storage_fail_errno(error, "flush the folder of", name);
    return true;
}

AuditLog *
audit_log_open(const AuditLogOptions *options, GError **error)
{
    g_autoptr(AuditLog) self = g_new0(AuditLog, 1);
    g_autofree char *key = note_signer_verifier_key(options->signer);
    g_autofree char *key_name = g_strndup(key, strcspn(key, "+"));
    g_autofree char *name = NULL;

    self->folder = self->file = -1;
    g_mutex_init(&self->lock);
    self->signer = options->signer;
    self->origin = g_strdup_printf("%s/%s", key_name, options->org);
    self->file_word = audit_log_word_of(key_name);
    self->checkpoint_name = g_strconcat(self->file_word, ".checkpoint", NULL);
    name = g_strconcat(self->file_word, ".log", NULL);
    if (!open_folder(self, options, error) || !open_file(self, name, options->wait_ms, error) ||
        !read_log(self, name, error))
        return NULL;
    return g_steal_pointer(&self);
}

static bool
fail_broken(const AuditLog *self, GError **error)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_IO,
                "audit log %s: an earlier failure left it in doubt; it is read again at the next "
                "start",
                self->origin);
    return false;
}

static char *
line_locked(AuditLog *self, const char *words)
{
    const int64_t now_us = MAX(g_get_real_time(), self->locked.last_unix_us);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now_us / G_USEC_PER_SEC);
    g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");

    self->locked.last_unix_us = now_us;
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s.%06dZ %s\n", self->locked.tree.n_leaves,
                           seconds, (int) (now_us % G_USEC_PER_SEC), words);
}

static bool
cut_back_locked(AuditLog *self)
{
    self->locked.is_torn = ftruncate(self->file, self->locked.n_bytes) != 0;
    return !self->locked.is_torn;
}

static bool
append_locked(AuditLog *self, const char *words, GError **error)
{
    g_autofree char *line = line_locked(self, words);
    const size_t n_bytes = strlen(line);
    Digest leaf;

    if (self->locked.is_broken)
        return fail_broken(self, error);
    if (self->locked.is_torn && !cut_back_locked(self))
        return storage_fail_errno(error, "cut back audit log", self->origin);
    if (!durable_file_write_all(self->file, line, n_bytes)) {
        (void) storage_fail_errno(error, "append to audit log", self->origin);
        (void) cut_back_locked(self); /* else before the next one */
        return false;
    }
    if (fdatasync(self->file) != 0) {
        self->locked.is_broken = true; /* what the disk has is not known */
        return storage_fail_errno(error, "flush audit log", self->origin);
    }
    leaf = merkle_leaf(line, n_bytes - 1);
    merkle_tree_add(&self->locked.tree, &leaf);
    self->locked.n_bytes += (off_t) n_bytes;
    return true;
}

bool
audit_log_append(AuditLog *self, const char *words, GError **error)
{
    bool is_done = false;

    g_assert(words[0] != '\0' && strlen(words) <= MAX_WORDS_BYTES);
    for (const char *next = words; *next != '\0'; next++)
        g_assert(*next >= ' ' && *next <= '~');
    g_mutex_lock(&self->lock);
    is_done = append_locked(self, words, error);
    g_mutex_unlock(&self->lock);
    return is_done;
}

static bool
sign_locked(AuditLog *self, GError **error)
{
    const Checkpoint checkpoint = {self->origin, self->locked.tree.n_leaves,
                                   merkle_tree_root(&self->locked.tree)};
    g_autofree char *note = NULL;
    g_autoptr(GBytes) bytes = NULL;

    if (self->locked.is_broken)
        return fail_broken(self, error);
    if (self->locked.checkpoint != NULL && self->locked.n_signed == checkpoint.n_leaves)
        return true;
    note = checkpoint_sign(&checkpoint, self->signer);
    bytes = g_bytes_new(note, strlen(note));
    if (!durable_file_replace(self->folder, self->checkpoint_name, bytes, error))
        return false;
    g_clear_pointer(&self->locked.checkpoint, g_bytes_unref);
    self->locked.checkpoint = g_steal_pointer(&bytes);
    self->locked.n_signed = checkpoint.n_leaves;
    return true;
}

bool
audit_log_sign(AuditLog *self, GError **error)
{
    bool is_done = false;

    g_mutex_lock(&self->lock);
    is_done = sign_locked(self, error);
    g_mutex_unlock(&self->lock);
    return is_done;
}

GBytes *
audit_log_checkpoint(AuditLog *self, uint64_t *n_records)
{
    GBytes *note = NULL;

    g_mutex_lock(&self->lock);
    note = self->locked.checkpoint == NULL ? NULL : g_bytes_ref(self->locked.checkpoint);
    *n_records = self->locked.n_signed;
    g_mutex_unlock(&self->lock);
    return note;
}

uint64_t
audit_log_length(AuditLog *self)
{
    uint64_t n_records = 0;

    g_mutex_lock(&self->lock);
    n_records = self->locked.tree.n_leaves;
    g_mutex_unlock(&self->lock);
    return n_records;
}

const char *
audit_log_origin(const AuditLog *self)
{
    return self->origin;
}

const char *
audit_log_file_word(const AuditLog *self)
{
    return self->file_word;
}

void
audit_log_free(AuditLog *self)
{
    if (self == NULL)
        return;
    fd_close(&self->file);
    fd_close(&self->folder);
    g_clear_pointer(&self->locked.checkpoint, g_bytes_unref);
    g_mutex_clear(&self->lock);
    g_free(self->checkpoint_name);
    g_free(self->file_word);
    g_free(self->origin);
    g_free(self);
}
