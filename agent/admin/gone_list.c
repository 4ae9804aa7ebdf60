#include "agent/admin/gone_list.h"

#include "agent/policy/retention_day.h"
#include "crypto/age_context.h"
#include "crypto/digest.h"
#include "storage/durable_file.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* A line for each session: `<session> <digest of the names> <when looked at> <newest day or ->`. */
#define HEAD "sealtape-gone/v1\n"

enum { N_WORDS = 4, DAY_S = 86400 };

typedef struct {
    Digest names;
    int64_t looked_at_s;
    GDate newest;
} Entry;

struct GoneList {
    char *ledger, *org;
    GHashTable *read; /* session -> Entry */
    GMutex lock;
    struct {
        GHashTable *noted; /* the same, of this pass */
    } locked;
};

static GHashTable *
new_table(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static char *
name_of(const char *org)
{
    return g_strconcat(org, ".gone", NULL);
}

static bool
is_fresh(const Entry *entry, int64_t now_s)
{
    /* One of tomorrow was written while the clock was wrong. */
    return entry->looked_at_s <= now_s &&
           now_s - entry->looked_at_s < (int64_t) GONE_LIST_DAYS * DAY_S;
}

static bool
read_line(GHashTable *table, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autofree Entry *entry = g_new0(Entry, 1);
    char *end = NULL;

    if (g_strv_length(words) != N_WORDS || !age_context_id_is_valid(words[0]) ||
        !digest_from_hex(&entry->names, words[1]))
        return false;
    entry->looked_at_s = g_ascii_strtoll(words[2], &end, 10);
    entry->newest = retention_day_parse(words[3]);
    if (*end != '\0' || (!g_date_valid(&entry->newest) && strcmp(words[3], "-") != 0))
        return false;
    g_hash_table_replace(table, g_strdup(words[0]), g_steal_pointer(&entry));
    return true;
}

static bool
read_all(GHashTable *table, const char *text)
{
    g_auto(GStrv) lines = NULL;

    if (!g_str_has_prefix(text, HEAD) || !g_str_has_suffix(text, "\n"))
        return false;
    lines = g_strsplit(text + strlen(HEAD), "\n", -1);
    for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++) {
        if (!read_line(table, lines[i]))
            return false;
    }
    return true;
}

GoneList *
gone_list_read(const char *ledger, const char *org)
{
    GoneList *self = g_new0(GoneList, 1);
    g_autofree char *name = name_of(org);
    g_autofree char *path = g_build_filename(ledger, name, NULL);
    g_autofree char *text = NULL;

    self->ledger = g_strdup(ledger);
    self->org = g_strdup(org);
    self->read = new_table();
    self->locked.noted = new_table();
    g_mutex_init(&self->lock);
    if (g_file_get_contents(path, &text, NULL, NULL) && !read_all(self->read, text))
        g_hash_table_remove_all(self->read);
    return self;
}

/* Returns: false where anything but annotations is among them. */
static bool
digest_names(const GoneList *self, const char *session, const GPtrArray *keys, Digest *digest)
{
    g_autofree char *notes = object_key_join(self->org, session, "notes/");
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; i < keys->len; i++) {
        if (!g_str_has_prefix(keys->pdata[i], notes))
            return false;
        g_string_append_printf(all, "%s\n", (const char *) keys->pdata[i]);
    }
    *digest = digest_of(all->str, all->len);
    return keys->len > 0;
}

bool
gone_list_knows(const GoneList *self, const char *session, const GPtrArray *keys, int64_t now_s,
                GDate *newest)
{
    const Entry *entry = g_hash_table_lookup(self->read, session);
    Digest names;

    if (entry == NULL || !is_fresh(entry, now_s) || !digest_names(self, session, keys, &names) ||
        !digest_equal(&names, &entry->names))
        return false;
    *newest = entry->newest;
    return true;
}

void
gone_list_note(GoneList *self, const char *session, const GPtrArray *keys, int64_t now_s,
               const GDate *newest)
{
    Entry entry = {.looked_at_s = now_s, .newest = *newest};

    if (!digest_names(self, session, keys, &entry.names))
        return;
    g_mutex_lock(&self->lock);
    g_hash_table_replace(self->locked.noted, g_strdup(session), g_memdup2(&entry, sizeof entry));
    g_mutex_unlock(&self->lock);
}

static void
add_lines(GString *text, GHashTable *table, GHashTable *but, int64_t now_s)
{
    GHashTableIter iter;
    gpointer session = NULL;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &session, &value)) {
        const Entry *entry = value;
        g_autofree char *names = digest_to_hex(&entry->names);
        g_autofree char *day = retention_day_text(&entry->newest);

        if (!is_fresh(entry, now_s) || (but != NULL && g_hash_table_contains(but, session)))
            continue;
        g_string_append_printf(text, "%s %s %" PRId64 " %s\n", (const char *) session, names,
                               entry->looked_at_s, day != NULL ? day : "-");
    }
}

bool
gone_list_write(const GoneList *self, int64_t now_s, GError **error)
{
    g_autoptr(GString) text = g_string_new(HEAD);
    g_autofree char *name = name_of(self->org);
    g_autoptr(GBytes) bytes = NULL;
    g_auto(Fd) folder = open(self->ledger, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return storage_fail_errno(error, "open", self->ledger);
    add_lines(text, self->read, self->locked.noted, now_s);
    add_lines(text, self->locked.noted, NULL, now_s);
    bytes = g_bytes_new(text->str, text->len);
    return durable_file_replace(folder, name, bytes, error);
}

void
gone_list_free(GoneList *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->read);
    g_hash_table_unref(self->locked.noted);
    g_mutex_clear(&self->lock);
    g_free(self->ledger);
    g_free(self->org);
    g_free(self);
}
