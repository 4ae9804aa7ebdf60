#include "agent/recorder/seal_quota.h"

struct SealQuota {
    uint64_t most_bytes;
    GMutex lock;
    struct {
        GHashTable *tracks; /* track -> number of segments that wait, at least 1 */
        uint64_t n_bytes;
        uint64_t n_further_bytes;
    } locked;
};

SealQuota *
seal_quota_new(uint64_t most_bytes)
{
    SealQuota *self = g_new0(SealQuota, 1);

    self->most_bytes = most_bytes;
    g_mutex_init(&self->lock);
    self->locked.tracks = g_hash_table_new(NULL, NULL);
    return self;
}

static void
set_waiting(SealQuota *self, const void *track, guint n_waiting)
{
    if (n_waiting == 0) {
        g_hash_table_remove(self->locked.tracks, track);
    } else {
        g_hash_table_replace(self->locked.tracks, (gpointer) track, GUINT_TO_POINTER(n_waiting));
    }
}

static bool
take_locked(SealQuota *self, SealQuotaShare *share)
{
    const guint n_waiting =
        GPOINTER_TO_UINT(g_hash_table_lookup(self->locked.tracks, share->track));
    const uint64_t n_left = self->most_bytes - self->locked.n_further_bytes;

    share->is_further = n_waiting > 0;
    if (share->is_further && share->n_bytes > n_left)
        return false;
    if (share->is_further)
        self->locked.n_further_bytes += share->n_bytes;
    self->locked.n_bytes += share->n_bytes;
    set_waiting(self, share->track, n_waiting + 1);
    return true;
}

bool
seal_quota_take(SealQuota *self, SealQuotaShare *share)
{
    bool is_taken = false;

    g_mutex_lock(&self->lock);
    is_taken = take_locked(self, share);
    g_mutex_unlock(&self->lock);
    return is_taken;
}

static void
give_back_locked(SealQuota *self, const SealQuotaShare *share)
{
    const guint n_waiting =
        GPOINTER_TO_UINT(g_hash_table_lookup(self->locked.tracks, share->track));

    g_assert(n_waiting > 0 && self->locked.n_bytes >= share->n_bytes);
    self->locked.n_bytes -= share->n_bytes;
    if (share->is_further)
        self->locked.n_further_bytes -= share->n_bytes;
    set_waiting(self, share->track, n_waiting - 1);
}

void
seal_quota_give_back(SealQuota *self, const SealQuotaShare *share)
{
    g_mutex_lock(&self->lock);
    give_back_locked(self, share);
    g_mutex_unlock(&self->lock);
}

uint64_t
seal_quota_waiting(SealQuota *self)
{
    uint64_t n_bytes = 0;

    g_mutex_lock(&self->lock);
    n_bytes = self->locked.n_bytes;
    g_mutex_unlock(&self->lock);
    return n_bytes;
}

void
seal_quota_free(SealQuota *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->locked.tracks);
    g_mutex_clear(&self->lock);
    g_free(self);
}
