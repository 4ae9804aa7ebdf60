#include "agent/admin/amend_resume.h"

#include "agent/admin/audit_filter.h"
#include "agent/audit/audit_kind.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define SUFFIX ".sealed"

Fd
amend_resume_lock(const Custody *custody, const char *org)
{
    g_autofree char *path = g_build_filename(custody->settings->keys->audit_path, org, NULL);
    const Fd folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* Without it two at once could sign for the same statement, which reads twice and harms none.
     */
    if (folder >= 0 && flock(folder, LOCK_EX) < 0)
        g_message("%s: %s", path, g_strerror(errno));
    return folder;
}

static bool
is_named(const AnnotationLog *log, const char *digest)
{
    for (guint i = 0; i < log->annotations->len; i++) {
        const Annotation *told = log->annotations->pdata[i];

        if (g_strcmp0(told->values[ANNOTATION_STATEMENT], digest) == 0)
            return true;
    }
    return false;
}

/* Returns: a set of the digests of statements that nothing names, owned. */
static GHashTable *
list_unnamed(const Custody *custody, const AnnotationLog *log, GError **error)
{
    g_autofree char *prefix = object_key_join(log->org, log->session, "said/");
    g_autoptr(GPtrArray) keys = object_store_list(custody->store, prefix, error);
    GHashTable *unnamed = NULL;

    if (keys == NULL)
        return NULL;
    unnamed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < keys->len; i++) {
        const char *name = (const char *) keys->pdata[i] + strlen(prefix);
        g_autofree char *digest =
            g_str_has_suffix(name, SUFFIX) ? g_strndup(name, strlen(name) - strlen(SUFFIX)) : NULL;

        if (digest != NULL && !is_named(log, digest))
            g_hash_table_add(unnamed, g_steal_pointer(&digest));
    }
    return unnamed;
}

typedef struct {
    const AnnotationLog *log;
    GHashTable *unnamed;
    Annotation *found;
} Search;

static bool
on_record(const AuditSource *source, const char *line, const AuditRecord *record, void *user_data)
{
    Search *self = user_data;
    const AuditEvent *event = record != NULL ? &record->event : NULL;

    if (event == NULL || event->outcome != AUDIT_OK || event->object == NULL ||
        strcmp(source->org, self->log->org) != 0 ||
        !g_hash_table_contains(self->unnamed, event->object))
        return true;
    self->found = annotation_new(self->log->org, self->log->session, ANNOTATION_AMENDED);
    annotation_set(self->found, ANNOTATION_PARTICIPANT, event->participant);
    annotation_set(self->found, ANNOTATION_STATEMENT, event->object);
    self->found->n_known = (uint32_t) MIN(event->count, UINT32_MAX);
    return false;
}

Annotation *
amend_resume_find(CommandContext *context, const Custody *custody, const AnnotationLog *log,
                  GError **error)
{
    const AuditFilter filter = {.session = log->session, .event = audit_kind_text(AUDIT_AMENDED)};
    g_autoptr(GHashTable) unnamed = list_unnamed(custody, log, error);
    g_autoptr(AuditSources) sources = NULL;
    Search search = {log, unnamed, NULL};

    if (unnamed == NULL || g_hash_table_size(unnamed) == 0)
        return NULL;
    sources = audit_sources_load(context, log->org, false, error);
    if (sources != NULL)
        audit_filter_each(sources, &filter, on_record, &search);
    return search.found;
}
