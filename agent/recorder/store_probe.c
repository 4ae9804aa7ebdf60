#include "agent/recorder/store_probe.h"

#include "agent/store/configured_store.h"
#include "storage/s3_probe.h"

struct StoreProbe {
    const StoreSettings *settings;
    AuditTrail *audit;
    GThread *thread;
};

static void
note_row(AuditTrail *audit, const char *place, const S3ProbeRow *row)
{
    audit_trail_note_all(audit,
                         &(AuditEvent){
                             .kind = AUDIT_STORE_PROBED,
                             .outcome = row->verdict == S3_PROBE_BAD ? AUDIT_FAILED : AUDIT_OK,
                             .state = row->verdict == S3_PROBE_BAD ? "bad" : "warning",
                             .reason = row->name,
                             .detail = place,
                         });
}

static void
probe_one(const StoreProbe *self, const StoreSettings *settings)
{
    g_autofree char *place = configured_store_place(settings);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    unsigned n_good = 0;

    if (settings->type == STORE_TYPE_DIRECTORY)
        return;
    rows = configured_store_probe(settings, &error);
    if (rows == NULL) {
        g_warning("%s", error->message);
        audit_trail_note_all(self->audit, &(AuditEvent){.kind = AUDIT_STORE_PROBED,
                                                        .outcome = AUDIT_FAILED,
                                                        .reason = "settings",
                                                        .detail = place});
        return;
    }
    for (guint i = 0; i < rows->len; i++) {
        const S3ProbeRow *row = rows->pdata[i];

        if (row->verdict != S3_PROBE_GOOD)
            note_row(self->audit, place, row);
        if (row->verdict == S3_PROBE_BAD) {
            g_warning("%s %s: %s", place, row->name, row->finding);
        } else if (row->verdict == S3_PROBE_WARNING) {
            g_message("%s %s: %s", place, row->name, row->finding);
        } else {
            n_good++;
        }
    }
    audit_trail_note_all(self->audit, &(AuditEvent){.kind = AUDIT_STORE_PROBED,
                                                    .state = "good",
                                                    .detail = place,
                                                    .count = n_good});
    g_message("%s: %u of %u checks are good; `sealtape doctor` shows all", place, n_good,
              rows->len);
}

static gpointer
probe(gpointer data)
{
    const StoreProbe *self = data;
    const StoreSettings *settings = self->settings;

    probe_one(self, settings);
    for (guint i = 0; settings->replicas != NULL && i < settings->replicas->len; i++)
        probe_one(self, settings->replicas->pdata[i]);
    return NULL;
}

StoreProbe *
store_probe_start(const StoreSettings *settings, AuditTrail *audit)
{
    StoreProbe *self = g_new0(StoreProbe, 1);

    self->settings = settings;
    self->audit = audit;
    if (settings->type != STORE_TYPE_DIRECTORY || settings->replicas != NULL)
        self->thread = g_thread_new("store-probe", probe, self);
    return self;
}

void
store_probe_free(StoreProbe *self)
{
    if (self == NULL)
        return;
    if (self->thread != NULL)
        (void) g_thread_join(self->thread); /* returns nothing */
    g_free(self);
}
