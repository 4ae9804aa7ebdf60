#include "agent/admin/annotation_facts.h"

#include "agent/admin/time_text.h"

static json_t *
words_to_json(const GPtrArray *words)
{
    json_t *list = json_array();

    for (guint i = 0; i < words->len; i++)
        json_array_append_new(list, json_string(words->pdata[i]));
    return list;
}

static json_t *
annotation_to_json(const Annotation *annotation)
{
    g_autofree char *at = time_text_format_unix(annotation->at_unix_s * G_USEC_PER_SEC);
    json_t *row =
        json_pack("{s:I, s:s, s:s, s:s}", "number", (json_int_t) annotation->number, "at", at, "by",
                  annotation->by, "kind", annotation_kind_name(annotation->kind));

    for (int i = 0; i < N_ANNOTATION_FIELDS; i++) {
        if (annotation->values[i] != NULL) {
            json_object_set_new(row, annotation_field_name((AnnotationField) i),
                                json_string(annotation->values[i]));
        }
    }
    return row;
}

static json_t *
consents_to_json(const AnnotationView *view)
{
    json_t *list = json_array();

    for (guint i = 0; i < view->consents->len; i++) {
        const AnnotationConsent *row = view->consents->pdata[i];

        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "participant",
                                              row->participant, "purpose", row->purpose, "state",
                                              row->state, "evidence", row->evidence, "recipient",
                                              row->recipient));
    }
    return list;
}

static json_t *
resealed_to_json(const AnnotationView *view)
{
    return json_pack("{s:s?, s:s?, s:b}", "note", view->resealed, "locked_until",
                     view->resealed_locked_until, "begun", view->reseal_generation != 0);
}

static json_t *
erasure_to_json(const AnnotationView *view)
{
    return json_pack("{s:i, s:s?, s:s?, s:b, s:b, s:s?, s:s?}", "request", (int) view->request,
                     "requested_by", view->requested_by, "approved_by", view->approved_by, "begun",
                     view->is_erasing, "erased", view->is_erased, "locked_until",
                     view->locked_until, "certificate", view->certificate);
}

json_t *
annotation_facts_to_json(const AnnotationLog *log)
{
    const AnnotationView *view = log->view;
    json_t *list = json_array();

    for (guint i = 0; i < log->annotations->len; i++)
        json_array_append_new(list, annotation_to_json(log->annotations->pdata[i]));
    return json_pack("{s:s?, s:o, s:b, s:o, s:s?, s:s?, s:o, s:s?, s:s?, s:s?, s:i, s:o, s:o, s:o}",
                     "label", view->label, "holds", words_to_json(view->matters), "released",
                     view->is_released, "released_to", words_to_json(view->released_to),
                     "quarantine", view->quarantine, "restriction", view->restriction, "consents",
                     consents_to_json(view), "retain_until", view->retain_until, "retain_rule",
                     view->retain_rule, "retain_table", view->retain_table, "amendments",
                     (int) view->n_amendments, "resealed", resealed_to_json(view), "erasure",
                     erasure_to_json(view), "list", list);
}

static void
print_words(const char *name, const GPtrArray *words)
{
    if (words->len == 0)
        return;
    g_print("%-13s", name);
    for (guint i = 0; i < words->len; i++)
        g_print("%s %s", i > 0 ? "," : "", (const char *) words->pdata[i]);
    g_print("\n");
}

static void
print_erasure(const AnnotationView *view)
{
    if (view->is_erased && view->locked_until != NULL) {
        g_print("erasure       erased by key, bytes locked until %s\n", view->locked_until);
    } else if (view->is_erased || view->is_erasing) {
        g_print("erasure       %s\n", view->is_erased ? "erased" : "has begun");
    } else if (view->request != 0) {
        g_print("erasure       requested by %s (%s), %s%s\n", view->requested_by,
                view->request_reason, view->approved_by != NULL ? "approved by " : "not approved",
                view->approved_by != NULL ? view->approved_by : "");
    }
}

void
annotation_facts_print(const AnnotationLog *log)
{
    const AnnotationView *view = log->view;

    if (view->label != NULL)
        g_print("label         %s\n", view->label);
    print_words("on hold for", view->matters);
    if (view->is_released)
        g_print("released      to its clients\n");
    print_words("released to", view->released_to);
    if (view->quarantine != NULL)
        g_print("quarantined   %s\n", view->quarantine);
    if (view->restriction != NULL)
        g_print("restricted    %s\n", view->restriction);
    for (guint i = 0; i < view->consents->len; i++) {
        const AnnotationConsent *row = view->consents->pdata[i];

        g_print("consent       %s of %s: %s\n", row->purpose, row->participant, row->state);
    }
    if (view->retain_until != NULL) {
        g_print("retain until  %s (rule %s of %s)\n", view->retain_until, view->retain_rule,
                view->retain_table);
    }
    if (view->n_amendments > 0)
        g_print("amendments    %u\n", view->n_amendments);
    print_erasure(view);
}
