#include "agent/reseal/reseal_lease.h"

#include "storage/object_key.h"
#include "storage/object_numbers.h"
#include "storage/storage_error.h"

#include <string.h>

#define REASON "key-compromised"

struct ResealLease {
    ResealLeaseRequest request;
    uint32_t generation;
    char *keys;       /* digest of its envelope's keys; NULL: not said yet */
    uint32_t number;  /* of the newest annotation; 0: none is to be named */
    int64_t begun_us; /* monotonic: when that was said */
};

uint32_t
reseal_lease_generation(const ResealLease *self)
{
    return self->generation;
}

const char *
reseal_lease_keys(const ResealLease *self)
{
    return self->keys;
}

void
reseal_lease_free(ResealLease *self)
{
    if (self == NULL)
        return;
    g_free(self->keys);
    g_free(self);
}

/* Returns: the generation behind all that lie there; 0 sets `error`. */
static uint32_t
next_generation(const ResealLeaseRequest *request, GError **error)
{
    g_autofree char *prefix = object_key_join(request->org, request->session, "");
    g_autoptr(GPtrArray) keys = object_store_list(request->store, prefix, error);
    const uint32_t newest =
        keys != NULL ? object_numbers_newest(keys, prefix, "env", ".age") : UINT32_MAX;

    if (newest < UINT32_MAX)
        return newest + 1;
    if (keys != NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "%senv/%u.age takes the last number that there is", prefix, newest);
    }
    return 0;
}

bool
reseal_lease_renew(ResealLease *self, GError **error)
{
    const ResealLeaseRequest *request = &self->request;
    g_autoptr(Annotation) next =
        annotation_new(request->org, request->session, ANNOTATION_RESEAL_BEGUN);
    g_autofree char *generation = g_strdup_printf("%u", self->generation);
    g_autofree char *number = g_strdup_printf("%u", self->number);

    next->at_unix_s = g_get_real_time() / G_USEC_PER_SEC;
    annotation_set(next, ANNOTATION_REASON, REASON);
    annotation_set(next, ANNOTATION_GENERATION, generation);
    annotation_set(next, ANNOTATION_AGAINST, request->against);
    annotation_set(next, ANNOTATION_KEYS, self->keys);
    if (self->number != 0)
        annotation_set(next, ANNOTATION_REQUEST, number);
    if (!request->annotate(request->user_data, next, error))
        return false;
    self->number = next->number;
    self->begun_us = g_get_monotonic_time();
    return true;
}

bool
reseal_lease_keep(ResealLease *self, GError **error)
{
    const int64_t passed_us = g_get_monotonic_time() - self->begun_us;

    return passed_us < ANNOTATION_LEASE_S * G_USEC_PER_SEC / 3 || reseal_lease_renew(self, error);
}

bool
reseal_lease_claim(ResealLease *self, const char *keys, GError **error)
{
    g_free(self->keys);
    self->keys = g_strdup(keys);
    return reseal_lease_renew(self, error);
}

bool
reseal_lease_move_on(ResealLease *self, GError **error)
{
    self->generation = next_generation(&self->request, error);
    g_clear_pointer(&self->keys, g_free);
    return self->generation != 0 && reseal_lease_renew(self, error);
}

/* Whether another run has it. */
static bool
is_taken(const ResealLeaseRequest *request, const AnnotationView *view, GError **error)
{
    const int64_t now_s = g_get_real_time() / G_USEC_PER_SEC;
    const int64_t left_s = view->reseal_begun_at_unix_s + ANNOTATION_LEASE_S - now_s;

    if (view->reseal_generation == 0 || request->takes_over || left_s <= 0)
        return false;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY,
                "another run is sealing it anew, or died less than %" G_GINT64_FORMAT
                " minutes ago: wait, or say --take-over if you know that none is",
                (left_s + 59) / 60);
    return true;
}

ResealLease *
reseal_lease_new(const ResealLeaseRequest *request, const AnnotationView *view, GError **error)
{
    g_autoptr(ResealLease) self = NULL;

    if (is_taken(request, view, error))
        return NULL;
    self = g_new0(ResealLease, 1);
    self->request = *request;
    if (view->reseal_generation != 0)
        self->number = view->reseal_request;
    self->generation = request->generation;
    if (self->generation == 0 && view->reseal_generation != 0 &&
        strcmp(view->reseal_against, request->against) == 0) {
        self->generation = view->reseal_generation;
        self->keys = g_strdup(view->reseal_keys);
    }
    if (!(self->generation != 0 ? reseal_lease_renew(self, error)
                                : reseal_lease_move_on(self, error)))
        return NULL;
    return g_steal_pointer(&self);
}
