#include "tests/fakes/export_fixture.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <unistd.h>

static bool
read_next(void *user_data, PlainBuffer *segment, GError **error)
{
    ExportReader *self = user_data;

    while (self->next < self->outcome->segments->len) {
        const guint i = self->next++;

        if (((Segment *) self->outcome->segments->pdata[i])->part != self->part)
            continue;
        if (self->fail_at > 0 && i == self->fail_at) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "segment %u is forged", i);
            return false;
        }
        track_outcome_read_segment(self->outcome, i, segment);
        return true;
    }
    return false;
}

void
export_fixture_add(GArray *inputs, const char *title, const char *codec, ExportReader *reader)
{
    const ExporterInput input = {title, codec, read_next, reader};

    g_array_append_val(inputs, input);
}

GArray *
export_fixture_new_inputs(void)
{
    return g_array_new(FALSE, FALSE, sizeof(ExporterInput));
}

GByteArray *
export_fixture_run(const GArray *inputs, ExporterOptions options, GError **error)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "export-XXXXXX", NULL);
    char *content = NULL;
    gsize n_bytes = 0;
    bool is_good = false;

    options.fd = g_mkstemp_full(path, O_RDWR, 0600);
    g_assert_cmpint(options.fd, >=, 0);
    if (options.until_us == 0)
        options.until_us = INT64_MAX;
    is_good = exporter_run(inputs, &options, error);
    close(options.fd);
    g_assert_true(g_file_get_contents(path, &content, &n_bytes, NULL));
    unlink(path);
    if (!is_good) {
        g_free(content);
        return NULL;
    }
    return g_byte_array_new_take((guint8 *) content, n_bytes);
}
