#include "agent/keys/seal_scan.h"

#include "agent/keys/first_sentences.h"
#include "agent/keys/sealed_walk.h"
#include "crypto/age_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/crypto_error.h"
#include "storage/storage_error.h"

enum { MOST_EXAMPLES = 10 };

typedef struct {
    const SealScan *scan;
    char *mark;
    GMutex lock;
    struct {
        SealScanResult *result;
    } locked;
} Scanning;

typedef enum { NEEDED, NOT_NEEDED, UNKNOWN } Need;

/* The identity is asked in any case: what a header claims was written by whoever may put. */
static bool
find_need(const Scanning *self, GBytes *sealed, Need *need, GError **error)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);
    g_auto(GStrv) marks = age_seal_list_claimed(bytes, n_bytes, NULL);
    const bool is_silent = marks == NULL || marks[0] == NULL;
    g_autoptr(GError) fault = NULL;
    g_autoptr(Secret) opened = NULL;

    *need = NEEDED;
    if (!is_silent && g_strv_contains((const char *const *) marks, self->mark))
        return true;
    *need = is_silent ? UNKNOWN : NOT_NEEDED;
    if (self->scan->identities->len == 0)
        return true;
    opened =
        age_file_open_secret(self->scan->identities, age_context_any(), bytes, n_bytes, &fault);
    if (opened != NULL) {
        *need = NEEDED;
    } else if (g_error_matches(fault, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH)) {
        *need = NOT_NEEDED;
    } else if (!g_error_matches(fault, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED)) {
        /* A token that does not answer says nothing about the key. */
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    return true;
}

static bool
on_visit(void *user_data, const SealedObject *object, GError **error)
{
    Scanning *self = user_data;
    SealScanResult *result = self->locked.result;
    g_autoptr(GError) fault = NULL;
    g_autoptr(GBytes) sealed = object_store_get(self->scan->store, object->name, &fault);
    Need need = UNKNOWN;

    if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return true; /* erased meanwhile */
    if (sealed == NULL || !find_need(self, sealed, &need, &fault)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&fault), "%s: ", object->name);
        return false;
    }
    g_mutex_lock(&self->lock);
    result->n_objects++;
    result->n_needing += need == NEEDED ? 1 : 0;
    result->n_unknown += need == UNKNOWN ? 1 : 0;
    if (need != NOT_NEEDED)
        first_sentences_add(result->examples, g_strdup(object->name), MOST_EXAMPLES);
    g_mutex_unlock(&self->lock);
    return true;
}

static void
on_walk_progress(void *user_data, uint64_t n_done, uint64_t n_sessions)
{
    const Scanning *self = user_data;

    if (self->scan->on_progress != NULL)
        self->scan->on_progress(self->scan->user_data, n_done, n_sessions);
}

bool
seal_scan(const SealScan *scan, SealScanResult *result, GError **error)
{
    g_autofree char *mark = age_seal_list_mark(scan->recipient);
    Scanning self = {.scan = scan, .mark = mark, .locked = {result}};
    const SealedWalk walk = {
        .store = scan->store,
        .org = scan->org,
        .n_threads = scan->n_threads,
        .visit = on_visit,
        .on_progress = on_walk_progress,
        .user_data = &self,
    };
    bool is_whole = false;

    *result = (SealScanResult){.examples = g_ptr_array_new_with_free_func(g_free)};
    g_mutex_init(&self.lock);
    is_whole = sealed_walk(&walk, error);
    g_mutex_clear(&self.lock);
    return is_whole;
}

void
seal_scan_result_clear(SealScanResult *self)
{
    g_clear_pointer(&self->examples, g_ptr_array_unref);
}
