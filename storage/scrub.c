#include "storage/scrub.h"

#include "storage/object_key.h"
#include "storage/recording_private.h"
#include "storage/storage_error.h"

#include <string.h>

/* A recording that nobody has closed for so long was left behind. */
#define LONGEST_SESSION_US (24 * G_TIME_SPAN_HOUR)

typedef struct {
    int64_t place;
    const char *name; /* borrowed from the manifest */
} Turn;

/* Returns: 1 and up. The same for an object in every store and every round. */
static int64_t
place_of(const ManifestPart *manifest, const char *object)
{
    g_autofree char *key = object_key_join(manifest->org, manifest->session, object);
    const Digest digest = digest_of(key, strlen(key));
    uint64_t place = 0;

    for (int i = 0; i < 8; i++)
        place = place << 8 | digest.bytes[i];
    return (int64_t) (place >> 2) + 1;
}

static int
compare_turns(gconstpointer a, gconstpointer b)
{
    const Turn *first = a;
    const Turn *second = b;

    return (first->place > second->place) - (first->place < second->place);
}

/* Returns: GArray of Turn: every object once, in their order. */
static GArray *
make_turns(const ManifestPart *manifest)
{
    GArray *turns = g_array_new(false, false, sizeof(Turn));
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *row = g_ptr_array_index(manifest->segments, i);
        const Turn turn = {place_of(manifest, row->object), row->object};

        if (g_hash_table_add(seen, row->object))
            g_array_append_val(turns, turn);
    }
    g_array_sort(turns, compare_turns);
    return turns;
}

/* Returns: the set of objects whose turn it is. */
static GHashTable *
choose(const ManifestPart *manifest, const ScrubRequest *request, ScrubResult *result)
{
    GHashTable *chosen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GArray) turns = make_turns(manifest);
    guint n_left = 0;

    result->place = request->place;
    for (guint i = 0; i < turns->len; i++) {
        const Turn *turn = &g_array_index(turns, Turn, i);

        if (turn->place <= request->place)
            continue;
        n_left++;
        if (n_left > request->n_most)
            continue;
        g_hash_table_add(chosen, (char *) turn->name);
        result->place = turn->place;
    }
    result->n_objects = g_hash_table_size(chosen);
    result->has_ended = n_left <= request->n_most;
    if (result->has_ended)
        result->place = 0;
    return chosen;
}

static bool
is_under_way(const ScrubRequest *request, const ManifestPart *manifest)
{
    const ManifestTrack *first =
        manifest->tracks->len > 0 ? g_ptr_array_index(manifest->tracks, 0) : NULL;

    if (manifest->state != SESSION_OPEN)
        return false;
    return request->is_open ||
           (first != NULL && first->anchor_unix_us + LONGEST_SESSION_US > g_get_real_time());
}

/* What is no fault of a session that is being recorded. */
static void
forgive(GPtrArray *findings)
{
    for (guint i = findings->len; i > 0; i--) {
        const RecordingFinding *finding = g_ptr_array_index(findings, i - 1);

        if (strcmp(finding->code, "manifest-open") == 0 ||
            strcmp(finding->code, "object-foreign") == 0)
            g_ptr_array_remove_index(findings, i - 1);
    }
}

static void
take_missing(const ScrubRequest *request, ScrubResult *result)
{
    result->has_ended = true;
    if (!request->is_open) {
        recording_add_finding(result->findings, "session-missing",
                              "nothing of the session is in the store");
    }
}

/* Objects that nobody can place any more, or not yet. */
static void
take_orphan(const ScrubRequest *request, ScrubResult *result)
{
    result->has_ended = true;
    if (!request->is_open) {
        recording_add_finding(result->findings, "session-orphaned",
                              "objects of the session lie in the store, but no part of a manifest: "
                              "it never began, or its manifest is gone");
    }
}

bool
scrub_session(const ScrubRequest *request, ScrubResult *result, GError **error)
{
    g_autoptr(GError) fault = NULL;
    const RecordingTrust trust = {request->verifiers, request->annotators};
    g_autoptr(Recording) recording =
        recording_open(request->store, request->org, request->session, &trust, &fault);
    g_autoptr(ErasureTrace) trace = NULL;
    g_autoptr(GHashTable) chosen = NULL;
    bool has_parts = false;

    *result = (ScrubResult){.findings = recording_new_findings()};
    if (recording == NULL && g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        take_missing(request, result);
        return true;
    }
    if (recording == NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    trace = recording_read_erasure(recording, &fault);
    if (fault != NULL && !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    has_parts = recording->manifest->number > 0 || recording->n_notes > 0;
    if (!has_parts && trace == NULL && fault == NULL) {
        take_orphan(request, result);
        return true;
    }
    chosen = choose(recording->manifest, request, result);
    g_clear_pointer(&result->findings, g_ptr_array_unref);
    result->findings = recording_sample(recording, chosen);
    if (is_under_way(request, recording->manifest))
        forgive(result->findings);
    return true;
}

void
scrub_result_clear(ScrubResult *self)
{
    g_clear_pointer(&self->findings, g_ptr_array_unref);
}
