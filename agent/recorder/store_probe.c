#include "agent/recorder/store_probe.h"

#include "agent/store/configured_store.h"
#include "storage/s3_probe.h"

struct StoreProbe {
    const StoreSettings *settings;
    GThread *thread;
};

static gpointer
probe(gpointer data)
{
    const StoreProbe *self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = configured_store_probe(self->settings, &error);
    unsigned n_good = 0;

    if (rows == NULL) {
        g_warning("%s", error->message);
        return NULL;
    }
    for (guint i = 0; i < rows->len; i++) {
        const S3ProbeRow *row = rows->pdata[i];

        if (row->verdict == S3_PROBE_BAD) {
            g_warning("store %s: %s", row->name, row->finding);
        } else if (row->verdict == S3_PROBE_WARNING) {
            g_message("store %s: %s", row->name, row->finding);
        } else {
            n_good++;
        }
    }
    g_message("store: %u of %u checks are good; `sealtape doctor` shows all", n_good, rows->len);
    return NULL;
}

StoreProbe *
store_probe_start(const StoreSettings *settings)
{
    StoreProbe *self = g_new0(StoreProbe, 1);

    self->settings = settings;
    if (settings->type != STORE_TYPE_DIRECTORY)
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
