#include "storage/reseal_removal.h"

#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

#define NO_END "9999-12-31" /* a legal hold of the store's own */

typedef struct {
    const Recording *recording;
    ObjectStore *store;
    ResealRemoval *result;
    char *prefix; /* of the session */
} Removing;

void
reseal_removal_clear(ResealRemoval *self)
{
    g_clear_pointer(&self->until, g_free);
}

/* What is kept of the metadata is its newest version, which was sealed to the keys of now. */
static bool
is_of_before(const Removing *self, const ObjectVersion *version)
{
    const char *relative = version->key + strlen(self->prefix);

    if (strcmp(relative, "meta.age") == 0)
        return !version->is_latest;
    return reseal_chain_has_replaced(recording_resealed(self->recording), relative);
}

/* Returns: GPtrArray of ObjectVersion, owned: all that is of before. */
static GPtrArray *
list(const Removing *self, GError **error)
{
    GPtrArray *found = object_store_list_versions(self->store, self->prefix, error);

    for (guint i = found != NULL ? found->len : 0; i > 0; i--) {
        if (!is_of_before(self, found->pdata[i - 1]))
            g_ptr_array_remove_index(found, i - 1);
    }
    return found;
}

static void
note_lock(ResealRemoval *result, const ObjectRemoval *removal)
{
    g_autoptr(GDateTime) end = g_date_time_new_from_unix_utc(removal->locked_until_s);
    g_autofree char *day =
        removal->has_legal_hold ? g_strdup(NO_END) : g_date_time_format(end, "%Y-%m-%d");

    result->n_locked++;
    if (result->until == NULL || strcmp(day, result->until) > 0) {
        g_free(result->until);
        result->until = g_steal_pointer(&day);
    }
}

/* Removes those of `found` that are secret, or the others. A lock on media is no failure: its keys
 * are gone. */
static bool
remove_those(const Removing *self, const GPtrArray *found, bool is_secret, GError **error)
{
    g_autofree ObjectRemoval *removals = g_new0(ObjectRemoval, found->len + 1);
    size_t n_removals = 0;
    g_autoptr(GError) first = NULL;

    for (guint i = 0; i < found->len; i++) {
        const ObjectVersion *version = found->pdata[i];

        if (object_key_is_secret(version->key + strlen(self->prefix)) == is_secret)
            removals[n_removals++].what = version;
    }
    object_store_remove_versions(self->store, removals, n_removals);
    for (size_t i = 0; i < n_removals; i++) {
        const bool is_locked = removals[i].locked_until_s > 0 || removals[i].has_legal_hold;

        if (removals[i].error == NULL) {
            self->result->n_removed++;
            self->result->n_bytes += removals[i].what->n_bytes;
        } else if (is_locked && !is_secret) {
            note_lock(self->result, &removals[i]);
        } else if (first == NULL) {
            first = g_steal_pointer(&removals[i].error);
        }
        g_clear_error(&removals[i].error);
    }
    if (first == NULL)
        return true;
    g_propagate_prefixed_error(error, g_steal_pointer(&first), "%s",
                               is_secret ? "its old keys can not be destroyed: " : "");
    return false;
}

static bool
list_again(const Removing *self, GError **error)
{
    g_autoptr(GPtrArray) left = list(self, error);

    for (guint i = 0; left != NULL && i < left->len; i++) {
        const ObjectVersion *version = left->pdata[i];

        if (object_key_is_secret(version->key + strlen(self->prefix))) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "%s is still there, though the store said that it was removed",
                        version->key);
            return false;
        }
    }
    if (left == NULL || left->len == self->result->n_locked)
        return left != NULL;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "%u old objects are still there, %u of them under lock: run it again", left->len,
                self->result->n_locked);
    return false;
}

bool
reseal_removal_is_due(const Recording *recording, ObjectStore *store, bool *is_left, GError **error)
{
    const ManifestPart *manifest = recording_manifest(recording);
    g_autofree char *prefix = object_key_join(manifest->org, manifest->session, "");
    const Removing self = {recording, store, NULL, prefix};
    g_autoptr(GPtrArray) found = list(&self, error);

    *is_left = found != NULL && found->len > 0;
    return found != NULL;
}

bool
reseal_removal_run(const Recording *recording, ObjectStore *store, ResealRemoval *result,
                   GError **error)
{
    const ManifestPart *manifest = recording_manifest(recording);
    g_autofree char *prefix = object_key_join(manifest->org, manifest->session, "");
    const Removing self = {recording, store, result, prefix};
    g_autoptr(GPtrArray) found = NULL;

    *result = (ResealRemoval){0};
    found = list(&self, error);
    return found != NULL && remove_those(&self, found, true, error) &&
           remove_those(&self, found, false, error) && list_again(&self, error);
}
