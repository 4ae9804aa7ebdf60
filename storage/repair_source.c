#include "storage/repair_source.h"

#include "storage/object_key.h"
#include "storage/spool_scan.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <string.h>

/* The spool is read without its lock: its files only grow, and whatever is read of them is compared
 * with signed digests by who asked. */

typedef struct {
    RepairSource base;
    ObjectStore *store;
} StoreSource;

typedef struct {
    RepairSource base;
    GPtrArray *scans;     /* SpoolScan: own the items below */
    GHashTable *segments; /* digest in hexadecimal -> SpoolItem */
    GHashTable *notes;    /* <session>/<number> -> note */
} SpoolSource;

static GBytes *
store_object(RepairSource *self, const char *key, const GPtrArray *segments)
{
    return object_store_get(((StoreSource *) self)->store, key, NULL);
}

static void
store_free(RepairSource *self)
{
    g_free(self->name);
    g_free(self);
}

RepairSource *
repair_source_new_store(const char *name, ObjectStore *store)
{
    static const RepairSourceOps ops = {store_object, store_free};
    StoreSource *self = g_new0(StoreSource, 1);

    self->base.ops = &ops;
    self->base.name = g_strdup(name);
    self->store = store;
    return &self->base;
}

static GBytes *
read_segment(const SpoolSource *self, const ManifestSegment *row)
{
    g_autofree char *hex = digest_to_hex(&row->digest);
    const SpoolItem *item = g_hash_table_lookup(self->segments, hex);

    return item == NULL
               ? NULL
               : spool_file_read(item->file, item->offset, item->record.segment.n_bytes, NULL);
}

/* Returns: the note of `<org>/<session>/manifest/<number>.note`, if that is what `key` names. */
static GBytes *
find_note(const SpoolSource *self, const char *key)
{
    g_auto(GStrv) word = g_strsplit(key, "/", 3);
    g_autofree char *name = NULL;
    const char *note = NULL;
    uint32_t number = 0;

    if (g_strv_length(word) != 3 || !object_key_parse_number(word[2], "manifest", ".note", &number))
        return NULL;
    name = g_strdup_printf("%s/%u", word[1], number);
    note = g_hash_table_lookup(self->notes, name);
    return note != NULL ? g_bytes_new(note, strlen(note)) : NULL;
}

static GBytes *
spool_object(RepairSource *source, const char *key, const GPtrArray *segments)
{
    const SpoolSource *self = (SpoolSource *) source;
    g_autoptr(GByteArray) whole = g_byte_array_new();

    if (segments == NULL)
        return find_note(self, key);
    for (guint i = 0; i < segments->len; i++) {
        g_autoptr(GBytes) sealed = read_segment(self, g_ptr_array_index(segments, i));

        if (sealed == NULL)
            return NULL;
        g_byte_array_append(whole, g_bytes_get_data(sealed, NULL),
                            (guint) g_bytes_get_size(sealed));
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&whole));
}

static void
spool_source_free(RepairSource *source)
{
    SpoolSource *self = (SpoolSource *) source;

    g_hash_table_unref(self->segments);
    g_hash_table_unref(self->notes);
    g_ptr_array_unref(self->scans);
    g_free(source->name);
    g_free(self);
}

static void
take_items(SpoolSource *self, const SpoolScan *scan)
{
    for (guint i = 0; i < scan->items->len; i++) {
        SpoolItem *item = g_ptr_array_index(scan->items, i);
        const SpoolRecord *record = &item->record;

        if (record->type == SPOOL_RECORD_SEGMENT && item->file != NULL) {
            g_hash_table_replace(self->segments, digest_to_hex(&record->segment.digest), item);
        } else if (record->type == SPOOL_RECORD_PART) {
            g_hash_table_replace(self->notes,
                                 g_strdup_printf("%s/%u", record->session, record->part.number),
                                 g_strdup(record->part.note));
        }
    }
}

static bool
scan_file(SpoolSource *self, int dir_fd, const char *name, GError **error)
{
    const uint64_t number = g_ascii_strtoull(name, NULL, 10);
    g_autofree char *again = spool_file_name(number);
    g_autoptr(GError) fault = NULL;
    g_autoptr(SpoolFile) file = NULL;
    SpoolScan *scan = NULL;

    if (strcmp(again, name) != 0)
        return true;
    file = spool_file_open(dir_fd, number, &fault);
    /* The recorder may just have let go of it. */
    if (file == NULL && g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return true;
    if (file == NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    scan = spool_scan(file, false);
    g_ptr_array_add(self->scans, scan);
    take_items(self, scan);
    return true;
}

RepairSource *
repair_source_open_spool(const char *path, GError **error)
{
    static const RepairSourceOps ops = {spool_object, spool_source_free};
    g_auto(Fd) dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GDir) dir = NULL;
    SpoolSource *self = NULL;
    const char *name = NULL;

    if (dir_fd < 0) {
        (void) storage_fail_errno(error, "open", path);
        return NULL;
    }
    self = g_new0(SpoolSource, 1);
    self->base.ops = &ops;
    self->base.name = g_strdup("spool");
    self->scans = g_ptr_array_new_with_free_func((GDestroyNotify) spool_scan_free);
    self->segments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->notes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    dir = g_dir_open(path, 0, NULL);
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (!scan_file(self, dir_fd, name, error)) {
            spool_source_free(&self->base);
            return NULL;
        }
    }
    return &self->base;
}

GBytes *
repair_source_object(RepairSource *self, const char *key, const GPtrArray *segments)
{
    return self->ops->object(self, key, segments);
}

void
repair_source_free(RepairSource *self)
{
    if (self != NULL)
        self->ops->free(self);
}
