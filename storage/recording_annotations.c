#include "storage/recording.h"
#include "storage/recording_private.h"

void
recording_trust_annotators(Recording *self, GPtrArray *annotators)
{
    g_ptr_array_unref(self->annotators);
    self->annotators = g_ptr_array_ref(annotators);
}

AnnotationLog *
recording_read_annotations(Recording *self, GError **error)
{
    return annotation_log_read(self->store, self->org, self->session, self->annotators, error);
}
