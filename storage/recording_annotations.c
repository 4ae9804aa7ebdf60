#include "storage/object_key.h"
#include "storage/recording.h"
#include "storage/recording_private.h"
#include "storage/storage_error.h"

#include <string.h>

const Digest *
recording_last_digest(const Recording *self)
{
    return &self->last;
}

bool
recording_is_bare(const Recording *self)
{
    return self->is_bare;
}

AnnotationLog *
recording_read_marked(ObjectStore *store, const ManifestPart *manifest, GPtrArray *annotators,
                      GError **error)
{
    g_autoptr(AnnotationLog) log =
        annotation_log_read(store, manifest->org, manifest->session, annotators, error);

    for (guint i = 0; log != NULL && i < manifest->marks->len; i++) {
        const ManifestMark *row = manifest->marks->pdata[i];

        if (!annotation_view_mark(log->view, row->mark, row->reason)) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "session %s: the manifest has a mark `%s`, which this version does not "
                        "know",
                        manifest->session, row->mark);
            return NULL;
        }
    }
    return g_steal_pointer(&log);
}

AnnotationLog *
recording_read_annotations(Recording *self, GError **error)
{
    ManifestPart *manifest = self->manifest;

    return recording_read_marked(self->store, manifest, self->annotators, error);
}

ErasureTrace *
recording_read_erasure(Recording *self, GError **error)
{
    return erasure_trace_read(self->store, self->org, self->session, self->annotators, error);
}

static void
on_annotation_fault(const char *code, const char *sentence, void *user_data)
{
    recording_add_finding(user_data, code, "%s", sentence);
}

AnnotationLog *
recording_check_annotations(const Recording *recording, const GPtrArray *keys, GPtrArray *findings)
{
    const AnnotationCheck check = {
        .store = recording->store,
        .org = recording->org,
        .session = recording->session,
        .keys = keys,
        .verifiers = recording->annotators,
        .resealed = recording->resealed,
        .on_fault = on_annotation_fault,
        .user_data = findings,
    };

    return annotation_log_check(&check);
}

/* Of what was erased nothing may lie there, but what a lock keeps. */
static void
check_leavings(const Recording *recording, const ErasureTrace *trace, GPtrArray *findings)
{
    g_autofree char *prefix = object_key_join(recording->org, recording->session, "");
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) keys = object_store_list(recording->store, prefix, &error);
    const char *first = NULL;
    unsigned n_left = 0;

    if (keys == NULL)
        recording_add_finding(findings, "store-unreadable", "%s", error->message);
    for (guint i = 0; keys != NULL && i < keys->len; i++) {
        const char *relative = (const char *) g_ptr_array_index(keys, i) + strlen(prefix);

        if (erasure_trace_permits(trace, relative))
            continue;
        first = first != NULL ? first : relative;
        n_left++;
    }
    if (n_left > 0) {
        recording_add_finding(findings, "erasure-undone",
                              "it was erased, and %u of its objects lie there again, %s the first: "
                              "`sealtape retention run` erases what a backup brought back",
                              n_left, first);
    }
    if (keys != NULL)
        annotation_log_free(recording_check_annotations(recording, keys, findings));
}

bool
recording_check_erasure(Recording *self, GPtrArray *findings)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ErasureTrace) trace = recording_read_erasure(self, &error);

    if (error != NULL) {
        recording_add_finding(findings, "erasure-doubtful",
                              "what says that it was erased can not be believed: %s",
                              error->message);
    }
    if (trace == NULL)
        return false;
    if (trace->stage == ERASURE_STAGE_BEGUN) {
        g_autofree char *sentence = erasure_trace_describe(trace);

        recording_add_finding(findings, "erasure-unfinished",
                              "%s: `sealtape erase` goes on with it", sentence);
    }
    check_leavings(self, trace, findings);
    return true;
}
