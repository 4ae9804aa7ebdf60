#include "agent/recorder/store_probe.h"

#include "agent/store/configured_store.h"
#include "storage/s3_probe.h"

struct StoreProbe {
    const StoreSettings *settings;
    GThread *thread;
};

static void
probe_one(const StoreSettings *settings)
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
        return;
    }
    for (guint i = 0; i < rows->len; i++) {
        const S3ProbeRow *row = rows->pdata[i];

        if (row->verdict == S3_PROBE_BAD) {
            g_warning("%s %s: %s", place, row->name, row->finding);
        } else if (row->verdict == S3_PROBE_WARNING) {
            g_message("%s %s: %s", place, row->name, row->finding);
        } else {
            n_good++;
        }
    }
    g_message("%s: %u of %u checks are good; `sealtape doctor` shows all", place, n_good,
              rows->len);
}

static gpointer
probe(gpointer data)
{
    const StoreSettings *settings = ((const StoreProbe *) data)->settings;

    probe_one(settings);
    for (guint i = 0; settings->replicas != NULL && i < settings->replicas->len; i++)
        probe_one(settings->replicas->pdata[i]);
    return NULL;
}

StoreProbe *
store_probe_start(const StoreSettings *settings)
{
    StoreProbe *self = g_new0(StoreProbe, 1);

    self->settings = settings;
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
