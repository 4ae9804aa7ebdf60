#include "agent/admin/metric_page.h"

#include <stdbool.h>
#include <string.h>

#define PREFIX "sealtape_"

typedef struct {
    char *name;
    char *label; /* its value; NULL: it has none */
    double value;
} Sample;

struct MetricPage {
    GPtrArray *samples; /* Sample */
};

static void
sample_free(void *data)
{
    Sample *self = data;

    g_free(self->name);
    g_free(self->label);
    g_free(self);
}

/* Reads `sealtape_name{label="value"} 12`. Returns: owned; NULL where it is none. */
static Sample *
read_sample(const char *line)
{
    const bool is_ours = g_str_has_prefix(line, PREFIX);
    const char *name = is_ours ? line + strlen(PREFIX) : "";
    const size_t n_name = strcspn(name, "{ ");
    const char *end = strrchr(line, ' ');
    char *behind = NULL;
    Sample *sample = NULL;
    double value = 0;

    if (!is_ours || n_name == 0 || end == NULL || end < name + n_name)
        return NULL;
    value = g_ascii_strtod(end + 1, &behind);
    if (behind == end + 1 || *behind != '\0')
        return NULL;
    sample = g_new0(Sample, 1);
    sample->name = g_strndup(name, n_name);
    sample->value = value;
    if (name[n_name] == '{') {
        g_auto(GStrv) pieces = g_strsplit(name + n_name, "\"", 3);

        sample->label = g_strdup(g_strv_length(pieces) == 3 ? pieces[1] : "");
    }
    return sample;
}

MetricPage *
metric_page_parse(const char *text)
{
    MetricPage *self = g_new0(MetricPage, 1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    self->samples = g_ptr_array_new_with_free_func(sample_free);
    for (char **line = lines; *line != NULL; line++) {
        Sample *sample = read_sample(*line);

        if (sample != NULL)
            g_ptr_array_add(self->samples, sample);
    }
    return self;
}

double
metric_page_value(const MetricPage *self, const char *name)
{
    double sum = 0;

    for (guint i = 0; i < self->samples->len; i++) {
        const Sample *sample = self->samples->pdata[i];

        if (strcmp(sample->name, name) == 0)
            sum += sample->value;
    }
    return sum;
}

json_t *
metric_page_by_label(const MetricPage *self, const char *name)
{
    json_t *form = json_object();

    for (guint i = 0; i < self->samples->len; i++) {
        const Sample *sample = self->samples->pdata[i];

        if (strcmp(sample->name, name) == 0 && sample->label != NULL)
            json_object_set_new(form, sample->label, json_integer((json_int_t) sample->value));
    }
    return form;
}

void
metric_page_free(MetricPage *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->samples);
    g_free(self);
}
