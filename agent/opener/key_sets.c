#include "agent/opener/key_sets.h"

#include "agent/service/http_fetch.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_SET_BYTES ((size_t) 256 << 10)
#define FETCH_MS      10000

/* One issuer's. Whoever is vouched for by one authority is not thereby by another's. */
typedef struct {
    char *name; /* source and authority */
    char *source;
    json_t *keys;             /* NULL: never had */
    int64_t had_us, tried_us; /* monotonic; 0: never */
    HttpFetch *fetch;         /* of a URL */
    bool is_fetching;
    GArray *waiting; /* Waiter */
} KeySet;

typedef struct {
    KeySetsDone done;
    void *user_data;
    int64_t away_us; /* how old they may be */
} Waiter;

struct KeySets {
    GHashTable *sets; /* name -> KeySet */
};

/* Returns: borrowed; NULL for those that nobody could read again for too long. */
static const json_t *
keys_for(const KeySet *self, const Waiter *waiter)
{
    return g_get_monotonic_time() - self->had_us < waiter->away_us ? self->keys : NULL;
}

static void
tell(KeySet *self)
{
    g_autoptr(GArray) waiting = self->waiting;

    self->waiting = g_array_new(FALSE, FALSE, sizeof(Waiter));
    for (guint i = 0; i < waiting->len; i++) {
        const Waiter *waiter = &g_array_index(waiting, Waiter, i);

        waiter->done(keys_for(self, waiter), waiter->user_data);
    }
}

static void
key_set_free(gpointer data)
{
    KeySet *self = data;

    http_fetch_free(self->fetch);
    json_decref(self->keys);
    self->keys = NULL;
    tell(self);
    g_array_unref(self->waiting);
    g_free(self->source);
    g_free(self->name);
    g_free(self);
}

KeySets *
key_sets_new(void)
{
    KeySets *self = g_new0(KeySets, 1);

    self->sets = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, key_set_free);
    return self;
}

/* Keys that were had stay where newer ones can not be had. */
static void
take(KeySet *self, json_t *keys, const char *trouble)
{
    if (json_is_array(json_object_get(keys, "keys"))) {
        json_decref(self->keys);
        self->keys = keys;
        self->had_us = g_get_monotonic_time();
        return;
    }
    json_decref(keys);
    g_warning("%s: the issuer's keys can not be read: %s", self->source,
              trouble != NULL ? trouble : "no JWK set");
}

static void
on_fetched(const json_t *reply, const GError *error, void *user_data)
{
    KeySet *self = user_data;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* it is being freed */
    self->is_fetching = false;
    take(self, json_incref((json_t *) reply), error != NULL ? error->message : NULL);
    tell(self);
}

static void
fetch(KeySet *self, const OrgIssuer *issuer)
{
    g_autoptr(GError) error = NULL;

    if (self->fetch == NULL)
        self->fetch = http_fetch_new(MAX_SET_BYTES, issuer->ca_path, &error);
    if (self->fetch == NULL) {
        take(self, NULL, error->message);
        return;
    }
    self->is_fetching = true;
    http_fetch_send(self->fetch, &(HttpFetchRequest){.url = self->source,
                                                     .timeout_ms = FETCH_MS,
                                                     .on_reply = on_fetched,
                                                     .user_data = self});
}

static void
read_file(KeySet *self)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize n_bytes = 0;

    if (!g_file_get_contents(self->source, &text, &n_bytes, &error)) {
        take(self, NULL, error->message);
    } else if (n_bytes > MAX_SET_BYTES) {
        take(self, NULL, "it is longer than 256 KiB");
    } else {
        take(self, json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, NULL), NULL);
    }
}

static KeySet *
find(KeySets *self, const OrgIssuer *issuer)
{
    g_autofree char *name =
        g_strconcat(issuer->keys, "\n", issuer->ca_path != NULL ? issuer->ca_path : "", NULL);
    KeySet *set = g_hash_table_lookup(self->sets, name);

    if (set != NULL)
        return set;
    set = g_new0(KeySet, 1);
    set->name = g_steal_pointer(&name);
    set->source = g_strdup(issuer->keys);
    set->waiting = g_array_new(FALSE, FALSE, sizeof(Waiter));
    g_hash_table_insert(self->sets, set->name, set);
    return set;
}

static int64_t
us_of(uint32_t seconds)
{
    return (int64_t) seconds * G_USEC_PER_SEC;
}

static bool
is_due(const KeySet *set, const OrgIssuer *issuer, bool wants_newer)
{
    const int64_t now_us = g_get_monotonic_time();

    if (set->keys == NULL)
        return set->tried_us == 0 || now_us - set->tried_us >= G_USEC_PER_SEC;
    return now_us - set->tried_us >= us_of(issuer->keys_again_s) &&
           (wants_newer || now_us - set->had_us >= us_of(issuer->keys_kept_s));
}

void
key_sets_get(KeySets *self, const OrgIssuer *issuer, bool wants_newer, KeySetsDone done,
             void *user_data)
{
    const Waiter waiter = {done, user_data, us_of(issuer->keys_away_s)};
    KeySet *set = find(self, issuer);

    if (!set->is_fetching && is_due(set, issuer, wants_newer)) {
        set->tried_us = g_get_monotonic_time();
        if (g_str_has_prefix(set->source, "https://")) {
            fetch(set, issuer);
        } else {
            read_file(set);
        }
    }
    if (set->is_fetching) {
        g_array_append_val(set->waiting, waiter);
    } else {
        done(keys_for(set, &waiter), user_data);
    }
}

void
key_sets_free(KeySets *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->sets);
    g_free(self);
}
