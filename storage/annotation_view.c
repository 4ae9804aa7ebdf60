#include "storage/annotation_view.h"

#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <inttypes.h>
#include <string.h>

static void
free_consent(void *data)
{
    AnnotationConsent *row = data;

    g_free(row->participant);
    g_free(row->purpose);
    g_free(row->state);
    g_free(row->evidence);
    g_free(row->recipient);
    g_free(row);
}

AnnotationView *
annotation_view_new(void)
{
    AnnotationView *self = g_new0(AnnotationView, 1);

    self->released_to = g_ptr_array_new_with_free_func(g_free);
    self->matters = g_ptr_array_new_with_free_func(g_free);
    self->consents = g_ptr_array_new_with_free_func(free_consent);
    return self;
}

void
annotation_view_free(AnnotationView *self)
{
    if (self == NULL)
        return;
    char *const texts[] = {self->quarantine,   self->restriction,    self->erase_mark,
                           self->label,        self->class_state,    self->class_date,
                           self->retain_until, self->retain_rule,    self->retain_table,
                           self->requested_by, self->request_reason, self->approved_by,
                           self->locked_until, self->certificate,    self->reseal_against,
                           self->reseal_keys,  self->resealed,       self->resealed_locked_until};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_ptr_array_unref(self->released_to);
    g_ptr_array_unref(self->matters);
    g_ptr_array_unref(self->consents);
    g_free(self);
}

static void
set_text(char **to, const char *value)
{
    g_free(*to);
    *to = g_strdup(value);
}

static bool
has_word(const GPtrArray *words, const char *word)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *) words, word, g_str_equal, NULL);
}

static void
add_word(GPtrArray **words, const char *word)
{
    GPtrArray *sorted = NULL;

    g_ptr_array_add(*words, g_strdup(word));
    sorted = object_key_sort(*words);
    g_ptr_array_unref(*words);
    *words = sorted;
}

static void
remove_word(GPtrArray *words, const char *word)
{
    guint i = 0;

    if (g_ptr_array_find_with_equal_func(words, word, g_str_equal, &i))
        g_ptr_array_remove_index(words, i);
}

bool
annotation_view_mark(AnnotationView *self, const char *mark, const char *reason)
{
    if (strcmp(mark, "quarantined") == 0) {
        if (self->quarantine == NULL && !self->was_lifted)
            self->quarantine = g_strdup(reason);
    } else if (strcmp(mark, "erase") == 0) {
        set_text(&self->erase_mark, reason);
    } else if (strcmp(mark, "sud-notes") == 0 ||
               (strcmp(mark, "part2") == 0 && self->label == NULL)) {
        set_text(&self->label, mark);
    } else {
        return strcmp(mark, "part2") == 0; /* the stricter label stays */
    }
    return true;
}

static AnnotationConsent *
find_consent(const AnnotationView *self, const char *participant, const char *purpose,
             const char *recipient)
{
    for (guint i = 0; i < self->consents->len; i++) {
        AnnotationConsent *row = g_ptr_array_index(self->consents, i);

        if (strcmp(row->participant, participant) == 0 && strcmp(row->purpose, purpose) == 0 &&
            g_strcmp0(row->recipient, recipient) == 0)
            return row;
    }
    return NULL;
}

static void
take_consent(AnnotationView *self, const Annotation *next)
{
    char *const *said = next->values;
    AnnotationConsent *row = find_consent(self, said[ANNOTATION_PARTICIPANT],
                                          said[ANNOTATION_PURPOSE], said[ANNOTATION_RECIPIENT]);

    if (row == NULL) {
        row = g_new0(AnnotationConsent, 1);
        row->participant = g_strdup(said[ANNOTATION_PARTICIPANT]);
        row->purpose = g_strdup(said[ANNOTATION_PURPOSE]);
        row->recipient = g_strdup(said[ANNOTATION_RECIPIENT]);
        g_ptr_array_add(self->consents, row);
    }
    set_text(&row->state, said[ANNOTATION_STATE]);
    set_text(&row->evidence, said[ANNOTATION_EVIDENCE]);
    row->at_unix_s = next->at_unix_s;
}

/* Only ever later: dates of this form compare as text. */
static void
take_retain_until(AnnotationView *self, const Annotation *next)
{
    if (self->retain_until != NULL &&
        strcmp(next->values[ANNOTATION_DATE], self->retain_until) <= 0)
        return;
    set_text(&self->retain_until, next->values[ANNOTATION_DATE]);
    set_text(&self->retain_rule, next->values[ANNOTATION_RULE]);
    set_text(&self->retain_table, next->values[ANNOTATION_TABLE]);
}

static void
take_release(AnnotationView *self, const Annotation *next)
{
    const char *participant = next->values[ANNOTATION_PARTICIPANT];
    const bool is_given = next->kind == ANNOTATION_RELEASED;

    if (participant == NULL) {
        self->is_released = is_given;
        if (!is_given)
            g_ptr_array_set_size(self->released_to, 0);
    } else if (is_given) {
        add_word(&self->released_to, participant);
    } else {
        remove_word(self->released_to, participant);
    }
}

static bool
names_request(const AnnotationView *self, const Annotation *next)
{
    const char *request = next->values[ANNOTATION_REQUEST];

    return self->request != 0 && request != NULL &&
           g_ascii_strtoull(request, NULL, 10) == self->request;
}

static void
set_request(AnnotationView *self, const Annotation *request)
{
    self->request = request != NULL ? request->number : 0;
    set_text(&self->requested_by, request != NULL ? request->by : NULL);
    set_text(&self->request_reason, request != NULL ? request->values[ANNOTATION_REASON] : NULL);
    set_text(&self->approved_by, NULL);
}

static void
take_erasure(AnnotationView *self, const Annotation *next)
{
    if (next->kind == ANNOTATION_ERASURE_REQUESTED) {
        set_request(self, next);
    } else if (next->kind == ANNOTATION_ERASURE_WITHDRAWN && names_request(self, next)) {
        set_request(self, NULL);
    } else if (next->kind == ANNOTATION_ERASURE_APPROVED && names_request(self, next) &&
               strcmp(next->by, self->requested_by) != 0) {
        set_text(&self->approved_by, next->by);
    } else if (next->kind == ANNOTATION_ERASURE_BEGUN) {
        self->is_erasing = true;
        self->begun_at_unix_s = next->at_unix_s;
    } else if (next->kind == ANNOTATION_ERASED) {
        self->is_erased = true;
        set_text(&self->certificate, next->values[ANNOTATION_CERTIFICATE]);
        set_text(&self->locked_until, next->values[ANNOTATION_DATE]);
    }
}

static void
take_reseal(AnnotationView *self, const Annotation *next)
{
    if (next->kind == ANNOTATION_RESEAL_BEGUN) {
        self->reseal_generation =
            (uint32_t) g_ascii_strtoull(next->values[ANNOTATION_GENERATION], NULL, 10);
        self->reseal_request = next->number;
        set_text(&self->reseal_against, next->values[ANNOTATION_AGAINST]);
        set_text(&self->reseal_keys, next->values[ANNOTATION_KEYS]);
        self->reseal_begun_at_unix_s = next->at_unix_s;
        return;
    }
    self->reseal_generation = 0;
    set_text(&self->resealed, next->values[ANNOTATION_CERTIFICATE]);
    set_text(&self->resealed_locked_until, next->values[ANNOTATION_DATE]);
}

static void
take_mood(AnnotationView *self, const Annotation *next)
{
    const char *reason = next->values[ANNOTATION_REASON];

    if (next->kind == ANNOTATION_QUARANTINED) {
        set_text(&self->quarantine, reason);
    } else if (next->kind == ANNOTATION_QUARANTINE_LIFTED) {
        set_text(&self->quarantine, NULL);
        self->was_lifted = true;
    } else {
        set_text(&self->restriction, next->kind == ANNOTATION_RESTRICTED
                                         ? (reason != NULL ? reason : "restricted")
                                         : NULL);
    }
}

void
annotation_view_take(AnnotationView *self, const Annotation *next)
{
    self->n_notes = next->number;
    switch (next->kind) {
    case ANNOTATION_RELEASED:
    case ANNOTATION_RELEASE_WITHDRAWN:
        take_release(self, next);
        break;
    case ANNOTATION_HOLD_PLACED:
        add_word(&self->matters, next->values[ANNOTATION_MATTER]);
        break;
    case ANNOTATION_HOLD_RELEASED:
        remove_word(self->matters, next->values[ANNOTATION_MATTER]);
        break;
    case ANNOTATION_QUARANTINED:
    case ANNOTATION_QUARANTINE_LIFTED:
    case ANNOTATION_RESTRICTED:
    case ANNOTATION_RESTRICTION_LIFTED:
        take_mood(self, next);
        break;
    case ANNOTATION_CONSENT:
        take_consent(self, next);
        break;
    case ANNOTATION_CLASSIFIED:
        set_text(&self->class_state, next->values[ANNOTATION_STATE]);
        set_text(&self->class_date, next->values[ANNOTATION_DATE]);
        break;
    case ANNOTATION_RETAIN_UNTIL:
        take_retain_until(self, next);
        break;
    case ANNOTATION_AMENDED:
        self->n_amendments++;
        break;
    case ANNOTATION_RESEAL_BEGUN:
    case ANNOTATION_RESEALED:
        take_reseal(self, next);
        break;
    case ANNOTATION_ERASURE_REQUESTED:
    case ANNOTATION_ERASURE_WITHDRAWN:
    case ANNOTATION_ERASURE_APPROVED:
    case ANNOTATION_ERASURE_BEGUN:
    case ANNOTATION_ERASED:
    case N_ANNOTATION_KINDS:
    default:
        take_erasure(self, next);
        break;
    }
}

/* Whether a run that began to seal it anew has it for itself at `now_s`. */
static bool
is_being_resealed(const AnnotationView *self, int64_t now_s)
{
    return self->reseal_generation != 0 &&
           now_s - self->reseal_begun_at_unix_s < ANNOTATION_LEASE_S;
}

/* Whether the key that a statement was sealed to may go, or have gone. */
static bool
is_key_going(const AnnotationView *self, const Annotation *next)
{
    return is_being_resealed(self, next->at_unix_s) || next->n_known < self->reseal_request;
}

/* Returns: why not, owned; NULL: it may. */
static char *
why_not_reseal(const AnnotationView *self, const Annotation *next)
{
    const char *request = next->values[ANNOTATION_REQUEST];
    const bool is_own = request != NULL && self->reseal_generation != 0 &&
                        g_ascii_strtoull(request, NULL, 10) == self->reseal_request;

    if (next->kind == ANNOTATION_RESEAL_BEGUN && !is_own &&
        (request != NULL || is_being_resealed(self, next->at_unix_s)))
        return g_strdup("another run is sealing it anew");
    if (next->kind == ANNOTATION_RESEALED && self->reseal_generation == 0)
        return g_strdup("nobody has begun to seal it anew");
    return NULL;
}

/* Returns: why not, owned; NULL: it may. */
static char *
why_not_erasure(const AnnotationView *self, const Annotation *next)
{
    if (next->kind == ANNOTATION_ERASURE_BEGUN && is_being_resealed(self, next->at_unix_s))
        return g_strdup("it is being sealed anew just now: try again in ten minutes");
    if (next->kind == ANNOTATION_ERASURE_BEGUN && self->is_erasing) {
        return next->at_unix_s - self->begun_at_unix_s >= ANNOTATION_LEASE_S
                   ? NULL
                   : g_strdup("another run has begun its erasure");
    }
    if (next->kind == ANNOTATION_ERASURE_BEGUN && self->matters->len > 0) {
        g_autofree char *matters = NULL;
        g_autoptr(GPtrArray) words = g_ptr_array_copy(self->matters, NULL, NULL);

        g_ptr_array_set_free_func(words, NULL);
        g_ptr_array_add(words, NULL);
        matters = g_strjoinv(", ", (char **) words->pdata);
        return g_strdup_printf("it is on hold for %s", matters);
    }
    if (next->kind == ANNOTATION_ERASURE_REQUESTED && self->request != 0) {
        return g_strdup_printf("%s has requested its erasure already (number %u)",
                               self->requested_by, self->request);
    }
    if (next->kind != ANNOTATION_ERASURE_APPROVED && next->kind != ANNOTATION_ERASURE_WITHDRAWN)
        return NULL;
    if (!names_request(self, next))
        return g_strdup("there is no such open request to erase it");
    if (next->kind == ANNOTATION_ERASURE_APPROVED && strcmp(next->by, self->requested_by) == 0)
        return g_strdup("who requested an erasure can not approve it: it takes two people");
    return NULL;
}

/* Returns: why not, owned; NULL: it may. */
static char *
why_not(const AnnotationView *self, const Annotation *next)
{
    const char *matter = next->values[ANNOTATION_MATTER];

    if (next->kind == ANNOTATION_ERASED || next->kind == ANNOTATION_ERASURE_BEGUN)
        return why_not_erasure(self, next);
    if (self->is_erased)
        return g_strdup("it has been erased");
    if (self->is_erasing)
        return g_strdup("its erasure has begun, and can not be stopped any more");
    if (next->values[ANNOTATION_STATEMENT] != NULL && is_key_going(self, next))
        return g_strdup("it is being sealed anew, or was meanwhile: try again in ten minutes");
    if (next->kind == ANNOTATION_HOLD_RELEASED && !has_word(self->matters, matter))
        return g_strdup_printf("there is no open hold for %s", matter);
    if (next->kind == ANNOTATION_HOLD_PLACED && has_word(self->matters, matter))
        return g_strdup_printf("it is on hold for %s already", matter);
    if (next->kind == ANNOTATION_AMENDED && self->n_amendments >= ANNOTATION_MAX_AMENDMENTS)
        return g_strdup_printf("it has %u amendments already", self->n_amendments);
    if (next->kind == ANNOTATION_RESEAL_BEGUN || next->kind == ANNOTATION_RESEALED)
        return why_not_reseal(self, next);
    return why_not_erasure(self, next);
}

bool
annotation_view_may_take(const AnnotationView *self, const Annotation *next, GError **error)
{
    g_autofree char *reason = why_not(self, next);

    if (reason == NULL)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "session %s: %s", next->session,
                reason);
    return false;
}

bool
annotation_view_is_released_to(const AnnotationView *self, const char *participant)
{
    return self->is_released || has_word(self->released_to, participant);
}

const char *
annotation_view_consent(const AnnotationView *self, const char *participant, const char *purpose)
{
    const AnnotationConsent *row = find_consent(self, participant, purpose, NULL);

    return row != NULL ? row->state : NULL;
}
