#include "storage/replicated_store.h"

#include "crypto/digest.h"
#include "storage/object_key.h"

#include <string.h>

/* One put_all():
 * 1. each store gets a list of its own: what it is not known to have;
 * 2. the first is asked in the caller's thread and each other one in a thread that ends with the
 *    call, for each may wait for its own network;
 * 3. a put has failed if any of its stores has refused it, with the reason of the first such; what
 *    the others took is remembered by key and digest. */

enum {
    MOST_STORES = 32,
    /* Only puts that some store took and another refused: past this many it is cheaper to ask. */
    MOST_REMEMBERED = 65536,
};

typedef struct {
    char *name; /* NULL: the first */
    ObjectStore *store;
} Member;

/* An object that some stores have. */
typedef struct {
    Digest digest;
    uint32_t taken_by; /* a bit for each member */
} Partial;

typedef struct {
    ObjectStore base;
    GPtrArray *members; /* Member */
    GMutex lock;
    struct {
        GHashTable *partials; /* char * -> Partial */
    } locked;
} ReplicatedStore;

/* What one member is asked in one put_all(). */
typedef struct {
    const Member *member;
    ObjectPut *puts; /* of the caller's, the ones it lacks */
    size_t *places;  /* where each stands in the caller's list */
    size_t n_puts;
} Errand;

static void
member_free(gpointer data)
{
    Member *self = data;

    object_store_free(self->store);
    g_free(self->name);
    g_free(self);
}

static void
name_member(const Member *member, GError **error)
{
    if (member->name != NULL)
        g_prefix_error(error, "replica %s: ", member->name);
}

/* Returns: bits of the members that are known to have exactly this. */
static uint32_t
taken_by(ReplicatedStore *self, const ObjectPut *put)
{
    const Partial *partial = NULL;
    uint32_t result = 0;

    g_mutex_lock(&self->lock);
    partial = g_hash_table_lookup(self->locked.partials, put->key);
    if (partial != NULL) {
        const Digest digest = digest_of_bytes(put->body);

        result = digest_equal(&digest, &partial->digest) ? partial->taken_by : 0;
    }
    g_mutex_unlock(&self->lock);
    return result;
}

static void
remember(ReplicatedStore *self, const ObjectPut *put, uint32_t taken, uint32_t all)
{
    Partial *partial = NULL;

    g_mutex_lock(&self->lock);
    if (taken == all || taken == 0) {
        (void) g_hash_table_remove(self->locked.partials, put->key);
    } else {
        if (g_hash_table_size(self->locked.partials) >= MOST_REMEMBERED)
            g_hash_table_remove_all(self->locked.partials);
        partial = g_new(Partial, 1);
        *partial = (Partial){digest_of_bytes(put->body), taken};
        g_hash_table_replace(self->locked.partials, g_strdup(put->key), partial);
    }
    g_mutex_unlock(&self->lock);
}

static gpointer
run_errand(gpointer data)
{
    Errand *errand = data;

    if (errand->n_puts > 0)
        object_store_put_all(errand->member->store, errand->puts, errand->n_puts);
    return NULL;
}

static void
run_errands(Errand *errands, guint n_errands)
{
    GThread *threads[MOST_STORES] = {NULL};

    for (guint i = 1; i < n_errands; i++) {
        if (errands[i].n_puts > 0)
            threads[i] = g_thread_new("replica", run_errand, &errands[i]);
    }
    (void) run_errand(&errands[0]);
    for (guint i = 1; i < n_errands; i++) {
        if (threads[i] != NULL)
            (void) g_thread_join(threads[i]);
    }
}

static Errand
errand_for(const Member *member, uint32_t bit, const ObjectPut *puts, const uint32_t *taken,
           size_t n_puts)
{
    Errand errand = {member, g_new0(ObjectPut, n_puts), g_new0(size_t, n_puts), 0};

    for (size_t i = 0; i < n_puts; i++) {
        if (taken[i] & bit)
            continue;
        errand.puts[errand.n_puts] =
            (ObjectPut){.key = puts[i].key, .body = puts[i].body, .n_done = puts[i].n_done};
        errand.places[errand.n_puts++] = i;
    }
    return errand;
}

/* Into the caller's list: who took it, and the first reason of those who did not. */
static void
settle_errand(Errand *errand, uint32_t bit, ObjectPut *puts, uint32_t *taken)
{
    for (size_t i = 0; i < errand->n_puts; i++) {
        const size_t place = errand->places[i];
        GError *error = errand->puts[i].error;

        if (error == NULL) {
            taken[place] |= bit;
            continue;
        }
        name_member(errand->member, &error);
        if (puts[place].error == NULL) {
            puts[place].error = error;
        } else {
            g_error_free(error);
        }
    }
    g_free(errand->puts);
    g_free(errand->places);
}

static void
replicated_put_all(ObjectStore *base, ObjectPut *puts, size_t n_puts)
{
    ReplicatedStore *self = (ReplicatedStore *) base;
    const guint n_members = self->members->len;
    const uint32_t all = (uint32_t) ((UINT64_C(1) << n_members) - 1);
    g_autofree uint32_t *taken = g_new0(uint32_t, n_puts);
    Errand errands[MOST_STORES] = {{0}};

    for (size_t i = 0; i < n_puts; i++)
        taken[i] = taken_by(self, &puts[i]);
    for (guint i = 0; i < n_members; i++)
        errands[i] = errand_for(self->members->pdata[i], 1U << i, puts, taken, n_puts);
    run_errands(errands, n_members);
    for (guint i = 0; i < n_members; i++)
        settle_errand(&errands[i], 1U << i, puts, taken);
    for (size_t i = 0; i < n_puts; i++)
        remember(self, &puts[i], taken[i], all);
}

static bool
replicated_replace(ObjectStore *base, const char *key, GBytes *body, GError **error)
{
    const ReplicatedStore *self = (ReplicatedStore *) base;

    for (guint i = 0; i < self->members->len; i++) {
        const Member *member = self->members->pdata[i];

        if (!object_store_replace(member->store, key, body, error)) {
            name_member(member, error);
            return false;
        }
    }
    return true;
}

/* One that has `body` already took it in a run that was cut off. */
static bool
replicated_exchange(ObjectStore *base, const char *key, GBytes *expected, GBytes *body,
                    GError **error)
{
    const ReplicatedStore *self = (ReplicatedStore *) base;

    for (guint i = 0; i < self->members->len; i++) {
        const Member *member = self->members->pdata[i];

        if (!object_store_exchange(member->store, key, expected, body, error)) {
            name_member(member, error);
            return false;
        }
    }
    return true;
}

/* Errors: the first store's, since that one should have known. */
static GBytes *
replicated_get(ObjectStore *base, const char *key, GError **error)
{
    const ReplicatedStore *self = (ReplicatedStore *) base;
    g_autoptr(GError) first = NULL;

    for (guint i = 0; i < self->members->len; i++) {
        const Member *member = self->members->pdata[i];
        g_autoptr(GError) reason = NULL;
        GBytes *found = object_store_get(member->store, key, &reason);

        if (found != NULL && first != NULL)
            g_warning("taken from replica %s: %s", member->name, first->message);
        if (found != NULL)
            return found;
        if (first == NULL)
            first = g_steal_pointer(&reason);
    }
    g_propagate_error(error, g_steal_pointer(&first));
    return NULL;
}

/* The first store's alone: who wants to know what the others have asks for the whole object. */
static bool
replicated_get_range(ObjectStore *base, const char *key, ObjectRange *range, GError **error)
{
    const Member *first = ((ReplicatedStore *) base)->members->pdata[0];

    return object_store_get_range(first->store, key, range, error);
}

typedef GPtrArray *(*List)(ObjectStore *store, const char *prefix, GError **error);

/* What any store has, as far as they can be asked: a store that has lost things does not know what.
 * Errors: the first one's, if none answers. */
static GPtrArray *
list_all(const ReplicatedStore *self, List list, const char *prefix, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) first = NULL;
    guint n_answers = 0;

    for (guint i = 0; i < self->members->len; i++) {
        const Member *member = self->members->pdata[i];
        g_autoptr(GError) reason = NULL;
        g_autoptr(GPtrArray) names = list(member->store, prefix, &reason);

        if (names != NULL) {
            n_answers++;
            g_ptr_array_extend_and_steal(all, g_steal_pointer(&names));
            continue;
        }
        name_member(member, &reason);
        g_warning("listed without it: %s", reason->message);
        if (first == NULL)
            first = g_steal_pointer(&reason);
    }
    if (n_answers > 0)
        return object_key_sort(all);
    g_propagate_error(error, g_steal_pointer(&first));
    return NULL;
}

static GPtrArray *
replicated_list(ObjectStore *base, const char *prefix, GError **error)
{
    return list_all((ReplicatedStore *) base, object_store_list, prefix, error);
}

static GPtrArray *
replicated_list_folders(ObjectStore *base, const char *prefix, GError **error)
{
    return list_all((ReplicatedStore *) base, object_store_list_folders, prefix, error);
}

/* What each of them has: one that can not say so might keep what nobody erases. */
static GPtrArray *
replicated_list_versions(ObjectStore *base, const char *prefix, GError **error)
{
    const ReplicatedStore *self = (ReplicatedStore *) base;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify) object_version_free);

    for (guint i = 0; i < self->members->len; i++) {
        const Member *member = self->members->pdata[i];
        GPtrArray *found = object_store_list_versions(member->store, prefix, error);

        if (found == NULL) {
            name_member(member, error);
            return NULL;
        }
        for (guint j = 0; j < found->len; j++)
            ((ObjectVersion *) found->pdata[j])->member = i;
        g_ptr_array_extend_and_steal(all, found);
    }
    return g_steal_pointer(&all);
}

static void
remove_from(const Member *member, guint number, ObjectRemoval *removals, size_t n_removals)
{
    g_autofree ObjectRemoval *own = g_new0(ObjectRemoval, n_removals);
    g_autofree size_t *places = g_new0(size_t, n_removals);
    size_t n_own = 0;

    for (size_t i = 0; i < n_removals; i++) {
        if (removals[i].what->member != number)
            continue;
        places[n_own] = i;
        own[n_own++].what = removals[i].what;
    }
    object_store_remove_versions(member->store, own, n_own);
    for (size_t i = 0; i < n_own; i++) {
        if (own[i].error != NULL)
            name_member(member, &own[i].error);
        removals[places[i]] = own[i];
    }
}

static void
replicated_remove_versions(ObjectStore *base, ObjectRemoval *removals, size_t n_removals)
{
    const ReplicatedStore *self = (ReplicatedStore *) base;

    for (guint i = 0; i < self->members->len; i++)
        remove_from(self->members->pdata[i], i, removals, n_removals);
}

static void
replicated_free(ObjectStore *base)
{
    ReplicatedStore *self = (ReplicatedStore *) base;

    g_ptr_array_unref(self->members);
    g_hash_table_unref(self->locked.partials);
    g_mutex_clear(&self->lock);
    g_free(self);
}

static void
add_member(ReplicatedStore *self, ObjectStore *store, const char *name)
{
    Member *member = g_new(Member, 1);

    g_assert(self->members->len < MOST_STORES);
    *member = (Member){g_strdup(name), store};
    g_ptr_array_add(self->members, member);
}

ObjectStore *
replicated_store_new(ObjectStore *first)
{
    static const ObjectStoreOps ops = {
        .put_all = replicated_put_all,
        .replace = replicated_replace,
        .exchange = replicated_exchange,
        .get = replicated_get,
        .get_range = replicated_get_range,
        .list = replicated_list,
        .list_folders = replicated_list_folders,
        .list_versions = replicated_list_versions,
        .remove_versions = replicated_remove_versions,
        .free = replicated_free,
    };
    ReplicatedStore *self = g_new0(ReplicatedStore, 1);

    self->base.ops = &ops;
    self->members = g_ptr_array_new_with_free_func(member_free);
    self->locked.partials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_mutex_init(&self->lock);
    add_member(self, first, NULL);
    return &self->base;
}

void
replicated_store_add(ObjectStore *self, ObjectStore *store, const char *name)
{
    add_member((ReplicatedStore *) self, store, name);
}
