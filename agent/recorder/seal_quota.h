#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* How much plaintext may wait to be sealed. One segment of each track always may: its memory was
 * the open segment's until now, and a thousand calls that end in one moment must not lose their
 * last seconds to a limit made for a disk that stands still. What a track has waiting beyond that
 * is limited for all tracks together. Any thread. */
typedef struct SealQuota SealQuota;

typedef struct {
    const void *track; /* compared, never looked into */
    uint64_t n_bytes;
    bool is_further; /* the track had one waiting; seal_quota_take() sets it */
} SealQuotaShare;

/* `most_bytes`: of what waits beyond each track's one segment. */
SealQuota *seal_quota_new(uint64_t most_bytes);

/* Returns: false when `share` is too much; it then is not counted. */
bool seal_quota_take(SealQuota *self, SealQuotaShare *share);

/* `share` as seal_quota_take() left it; once. */
void seal_quota_give_back(SealQuota *self, const SealQuotaShare *share);

/* Returns: bytes that wait, of all tracks. */
uint64_t seal_quota_waiting(SealQuota *self);

void seal_quota_free(SealQuota *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SealQuota, seal_quota_free)
