#include "storage/annotation_log.h"

#include "crypto/age_context.h"
#include "storage/erasure_note.h"
#include "storage/object_key.h"
#include "storage/statement_check.h"
#include "storage/storage_error.h"

#include <string.h>

/* Reading: the names that lie in notes/ must be 1..n without a gap, and each note must be genuine,
 * of its place, and name the digest of the one before. Adding: read, decide, put under the next
 * number if that is free; where somebody was faster, from the beginning. */

enum { MAX_TRIES = 20 };

static AnnotationLog *
log_new(const char *org, const char *session)
{
    AnnotationLog *self = g_new0(AnnotationLog, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->annotations = g_ptr_array_new_with_free_func((GDestroyNotify) annotation_free);
    self->view = annotation_view_new();
    return self;
}

void
annotation_log_free(AnnotationLog *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    g_ptr_array_unref(self->annotations);
    annotation_view_free(self->view);
    g_free(self);
}

typedef struct {
    ObjectStore *store;
    GPtrArray *verifiers;
    AnnotationLog *log;
    uint32_t number; /* of the note that is read */
    AnnotationFaultFunc on_fault;
    void *user_data;
    unsigned n_faults;
} Reading;

static void fault(Reading *self, const char *code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
fault(Reading *self, const char *code, const char *format, ...)
{
    g_autofree char *sentence = NULL;
    va_list arguments;

    va_start(arguments, format);
    sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    self->n_faults++;
    self->on_fault(code, sentence, self->user_data);
}

/* Returns: the annotation, genuine and of its place; NULL has told why not. */
static Annotation *
open_note(Reading *self, GBytes *note)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = note_open(bytes, n_bytes, self->verifiers, &error);
    g_autoptr(Annotation) annotation = text != NULL ? annotation_parse(text, &error) : NULL;

    if (annotation == NULL) {
        fault(self, text == NULL ? "annotation-signature" : "annotation-malformed",
              "annotation %u (notes/%u.note) %s: %s", self->number, self->number,
              text == NULL ? "is not genuine" : "can not be read", error->message);
        return NULL;
    }
    if (annotation->number == self->number && strcmp(annotation->org, self->log->org) == 0 &&
        strcmp(annotation->session, self->log->session) == 0)
        return g_steal_pointer(&annotation);
    fault(self, "annotation-misplaced",
          "annotation %u (notes/%u.note) says it is annotation %u of session %s of organisation %s",
          self->number, self->number, annotation->number, annotation->session, annotation->org);
    return NULL;
}

static void
check_chain(Reading *self, const Annotation *annotation)
{
    const AnnotationView *view = self->log->view;
    const bool is_first = annotation->number == 1;

    if (annotation->has_previous == is_first ||
        (!is_first && view->n_notes == annotation->number - 1 &&
         !digest_equal(&annotation->previous, &view->last))) {
        fault(self, "annotation-order",
              "annotation %u (notes/%u.note) does not follow the one that lies before it",
              self->number, self->number);
    }
}

static void
read_note(Reading *self, GBytes *note)
{
    Annotation *annotation = open_note(self, note);

    if (annotation != NULL) {
        check_chain(self, annotation);
        annotation_view_take(self->log->view, annotation);
        g_ptr_array_add(self->log->annotations, annotation);
    }
    self->log->view->n_notes = self->number;
    self->log->view->last = digest_of_bytes(note);
}

/* Returns: the highest number of a note among `keys`, which name objects of the session. */
static uint32_t
count_notes(const Reading *self, const GPtrArray *keys)
{
    g_autofree char *prefix = object_key_join(self->log->org, self->log->session, "");
    uint32_t highest = 0;

    for (guint i = 0; i < keys->len; i++) {
        const char *relative = (const char *) keys->pdata[i] + strlen(prefix);
        uint32_t number = 0;

        if (object_key_parse_number(relative, "notes", ".note", &number))
            highest = MAX(highest, number);
    }
    return highest;
}

static bool
has_key(const GPtrArray *keys, const char *key)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *) keys, key, g_str_equal, NULL);
}

static void
read_all(Reading *self, const GPtrArray *keys, GError **error)
{
    const uint32_t n_notes = count_notes(self, keys);

    for (uint32_t number = 1; number <= n_notes; number++) {
        g_autofree char *key = object_key_annotation(self->log->org, self->log->session, number);
        g_autoptr(GError) missing = NULL;
        g_autoptr(GBytes) note = NULL;

        self->number = number;
        if (has_key(keys, key))
            note = object_store_get(self->store, key, &missing);
        if (missing != NULL && !g_error_matches(missing, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&missing));
            return;
        }
        if (note != NULL) {
            read_note(self, note);
        } else {
            fault(self, "annotation-missing", "annotation %u (notes/%u.note) is missing", number,
                  number);
            /* A forged number must not make this loop long. */
            if (self->n_faults >= MAX_TRIES)
                return;
        }
    }
}

static void
on_first_fault(const char *code, const char *sentence, void *user_data)
{
    GError **error = user_data;

    if (*error == NULL)
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "%s", sentence);
}

/* An order to erase it outlives its annotations: a backup of the session that comes back does not
 * take it back. */
static bool
look_for_order(ObjectStore *store, const AnnotationLog *log, bool *is_ordered, GError **error)
{
    g_autofree char *key = erasure_note_key(log->org, log->session, 1);
    g_autoptr(GError) fault = NULL;
    g_autoptr(GBytes) order = object_store_get(store, key, &fault);

    *is_ordered = order != NULL;
    if (order != NULL || g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

AnnotationLog *
annotation_log_read(ObjectStore *store, const char *org, const char *session, GPtrArray *verifiers,
                    GError **error)
{
    g_autoptr(AnnotationLog) self = NULL;
    g_autofree char *prefix = NULL;
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GError) first = NULL;
    g_autoptr(GError) unread = NULL;
    Reading reading = {.store = store, .verifiers = verifiers, .on_fault = on_first_fault};

    if (!age_context_id_is_valid(org) || !age_context_id_is_valid(session)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND, "the store has no session %s",
                    session);
        return NULL;
    }
    self = log_new(org, session);
    prefix = object_key_join(org, session, "notes/");
    keys = object_store_list(store, prefix, error);
    if (keys == NULL || !look_for_order(store, self, &self->view->is_erasing, error))
        return NULL;
    reading.log = self;
    reading.user_data = &first;
    read_all(&reading, keys, &unread);
    if (unread == NULL && first == NULL)
        return g_steal_pointer(&self);
    if (unread != NULL) {
        g_propagate_error(error, g_steal_pointer(&unread));
    } else {
        g_propagate_prefixed_error(error, g_steal_pointer(&first), "session %s: ", session);
    }
    return NULL;
}

AnnotationLog *
annotation_log_check(const AnnotationCheck *check)
{
    g_autoptr(AnnotationLog) log = log_new(check->org, check->session);
    g_autoptr(GError) error = NULL;
    Reading reading = {.store = check->store,
                       .verifiers = check->verifiers,
                       .log = log,
                       .on_fault = check->on_fault,
                       .user_data = check->user_data};

    read_all(&reading, check->keys, &error);
    if (error != NULL)
        fault(&reading, "annotation-unreadable", "%s", error->message);
    statement_check(check, log);
    return g_steal_pointer(&log);
}

/* Places `next` behind what `now` holds. Returns: the note, owned. */
static GBytes *
sign_next(const AnnotationWriter *writer, const AnnotationLog *now, Annotation *next)
{
    g_autofree char *text = NULL;
    char *note = NULL;

    next->number = now->view->n_notes + 1;
    next->has_previous = now->view->n_notes > 0;
    next->previous = now->view->last;
    text = annotation_to_text(next);
    note = note_sign(writer->signer, text);
    return g_bytes_new_take(note, strlen(note));
}

/* A store that does not know put-if-absent lets a second writer replace the first: look what stands
 * there now. */
static bool
is_what_stands(ObjectStore *store, const char *key, GBytes *note, GError **error)
{
    g_autoptr(GBytes) there = object_store_get(store, key, error);

    if (there == NULL)
        return false;
    if (g_bytes_equal(there, note))
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CONFLICT, "%s was written by another", key);
    return false;
}

static bool
add_once(const AnnotationWriter *writer, Annotation *next, GError **error)
{
    g_autoptr(AnnotationLog) now =
        annotation_log_read(writer->store, next->org, next->session, writer->verifiers, error);
    g_autoptr(GBytes) note = NULL;
    g_autofree char *key = NULL;

    if (now == NULL || !annotation_view_may_take(now->view, next, error) ||
        (writer->may_add != NULL && !writer->may_add(now, writer->user_data, error)))
        return false;
    note = sign_next(writer, now, next);
    key = object_key_annotation(next->org, next->session, next->number);
    return object_store_put(writer->store, key, note, error) &&
           is_what_stands(writer->store, key, note, error);
}

bool
annotation_log_add(const AnnotationWriter *writer, Annotation *next, GError **error)
{
    if (!annotation_check(next, error))
        return false;
    if (next->at_unix_s == 0)
        next->at_unix_s = g_get_real_time() / G_USEC_PER_SEC;
    for (unsigned i = 0; i < MAX_TRIES; i++) {
        g_autoptr(GError) fault = NULL;

        if (add_once(writer, next, &fault))
            return true;
        if (!g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CONFLICT)) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return false;
        }
    }
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY,
                "session %s: others annotate it again and again; try later", next->session);
    return false;
}
