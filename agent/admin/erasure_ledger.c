#include "agent/admin/erasure_ledger.h"

#include "crypto/age_context.h"
#include "storage/durable_file.h"
#include "storage/erasure_note.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns: owned. */
static char *
folder_of(const Custody *custody, const char *org)
{
    return g_build_filename(custody->settings->keys->ledger_path, org, NULL);
}

static char *
name_of(const char *session, uint32_t number)
{
    return g_strdup_printf("%s.%u.note", session, number);
}

bool
erasure_ledger_keep(const Custody *custody, const ErasureOrder *order, GError **error)
{
    g_autofree char *path = folder_of(custody, order->org);
    g_autoptr(GPtrArray) notes = NULL;
    g_autoptr(GPtrArray) read = erasure_read_notes(order, &notes, error);
    g_auto(Fd) folder = -1;

    if (read == NULL)
        return false;
    if (g_mkdir_with_parents(path, 0750) < 0)
        return storage_fail_errno(error, "make", path);
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return storage_fail_errno(error, "open", path);
    for (guint i = 0; i < notes->len; i++) {
        g_autofree char *name = name_of(order->session, i + 1);

        if (!durable_file_replace(folder, name, notes->pdata[i], error))
            return false;
    }
    return true;
}

/* Reads what name_of() wrote. Returns: false for any other name. */
static bool
read_name(const char *name, char **session, uint32_t *number)
{
    const char *end = g_str_has_suffix(name, ".note") ? name + strlen(name) - 5 : NULL;
    const char *dot = end != NULL ? g_strrstr_len(name, end - name, ".") : NULL;

    if (dot == NULL)
        return false;
    *session = g_strndup(name, (gsize) (dot - name));
    *number = (uint32_t) g_ascii_strtoull(dot + 1, NULL, 10);
    return *number > 0 && age_context_id_is_valid(*session);
}

/* `there`: the names of all notes of erasures that the store has. */
static bool
put_back(const Custody *custody, const char *org, const char *path, GHashTable *there,
         GError **error)
{
    g_autofree char *session = NULL;
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *key = NULL;
    char *bytes = NULL;
    gsize n_bytes = 0;
    uint32_t number = 0;
    g_autoptr(GBytes) body = NULL;

    if (!read_name(name, &session, &number))
        return true;
    key = erasure_note_key(org, session, number);
    if (g_hash_table_contains(there, key))
        return true;
    if (!g_file_get_contents(path, &bytes, &n_bytes, error))
        return false;
    body = g_bytes_new_take(bytes, n_bytes);
    if (!object_store_put(custody->store, key, body, error))
        return false;
    g_hash_table_add(there, g_steal_pointer(&key));
    return true;
}

/* Returns: a set, owned. */
static GHashTable *
list_notes(const Custody *custody, const char *org, GError **error)
{
    g_autofree char *prefix = g_strconcat(org, "/erased/", NULL);
    g_autoptr(GPtrArray) keys = object_store_list(custody->store, prefix, error);
    GHashTable *there = NULL;

    if (keys == NULL)
        return NULL;
    there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < keys->len; i++)
        g_hash_table_add(there, g_strdup(keys->pdata[i]));
    return there;
}

bool
erasure_ledger_replay(const Custody *custody, const char *org, unsigned *n_restored, GError **error)
{
    g_autofree char *folder = folder_of(custody, org);
    g_autoptr(GDir) ledger = g_dir_open(folder, 0, NULL);
    g_autoptr(GHashTable) there = ledger != NULL ? list_notes(custody, org, error) : NULL;
    const guint n_before = there != NULL ? g_hash_table_size(there) : 0;
    const char *name = there != NULL ? g_dir_read_name(ledger) : NULL;

    for (; name != NULL; name = g_dir_read_name(ledger)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (!put_back(custody, org, path, there, error)) {
            g_prefix_error(error, "the ledger of what was erased, %s: ", folder);
            return false;
        }
    }
    *n_restored = there != NULL ? g_hash_table_size(there) - n_before : 0;
    return ledger == NULL || there != NULL;
}

typedef struct {
    RepairSource base;
    char *path;
} LedgerSource;

static GBytes *
ledger_object(RepairSource *source, const char *key, const GPtrArray *segments)
{
    const LedgerSource *self = (LedgerSource *) source;
    g_auto(GStrv) words = g_strsplit(key, "/", -1); /* <org>/erased/<session>/<n>.note */
    g_autofree char *folder = NULL;
    g_autofree char *name = NULL;
    g_autofree char *path = NULL;
    char *bytes = NULL;
    gsize n_bytes = 0;
    uint32_t number = 0;

    if (g_strv_length(words) != 4)
        return NULL;
    folder = g_strdup_printf("%s/erased/%s", words[0], words[2]);
    if (!object_key_parse_number(key, folder, ".note", &number))
        return NULL;
    name = name_of(words[2], number);
    path = g_build_filename(self->path, words[0], name, NULL);
    return g_file_get_contents(path, &bytes, &n_bytes, NULL) ? g_bytes_new_take(bytes, n_bytes)
                                                             : NULL;
}

static void
ledger_free(RepairSource *source)
{
    LedgerSource *self = (LedgerSource *) source;

    g_free(self->base.name);
    g_free(self->path);
    g_free(self);
}

RepairSource *
erasure_ledger_source(const char *path, GError **error)
{
    static const RepairSourceOps ops = {ledger_object, ledger_free};
    LedgerSource *self = NULL;

    if (access(path, R_OK | X_OK) < 0) {
        if (errno != ENOENT)
            (void) storage_fail_errno(error, "read the ledger of what was erased", path);
        return NULL;
    }
    self = g_new0(LedgerSource, 1);
    self->base.ops = &ops;
    self->base.name = g_strdup_printf("the ledger of this host (%s)", path);
    self->path = g_strdup(path);
    return &self->base;
}
