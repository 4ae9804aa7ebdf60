#include "storage/recording.h"
#include "storage/recording_private.h"
#include "storage/storage_error.h"

void
recording_trust_annotators(Recording *self, GPtrArray *annotators)
{
    g_ptr_array_unref(self->annotators);
    self->annotators = g_ptr_array_ref(annotators);
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
