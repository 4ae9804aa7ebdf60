#include "agent/admin/erase_many.h"

#include "agent/admin/client_ref.h"
#include "agent/admin/custody_decision.h"
#include "agent/admin/erase_run.h"
#include "agent/admin/offboard.h"
#include "agent/admin/passphrase.h"
#include "agent/playback/identity_files.h"
#include "agent/playback/session_people.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"

#include <string.h>

typedef struct {
    CommandContext *context;
    const EraseMany *many;
    Custody custody;
    GPtrArray *identities; /* AgeIdentity; NULL: none */
    json_t *rows;          /* NULL: for a person */
    unsigned n_sessions, n_left;
} Run;

static void
tell(Run *self, const char *session, const char *what, const char *until)
{
    self->n_sessions++;
    if (self->rows == NULL) {
        g_print("%s: %s\n", session, what);
        return;
    }
    json_array_append_new(self->rows, json_pack("{s:s, s:s, s:s?}", "session", session, "result",
                                                what, "until", until));
}

/* Somebody has to look. */
static void
leave(Run *self, const char *session, const char *why)
{
    g_autofree char *what = g_strdup_printf("left alone: %s", why);

    self->n_left++;
    tell(self, session, what, NULL);
}

/* Returns: `blocked by hold m-1, m-2`, owned; NULL: no hold is open. */
static char *
describe_holds(const AnnotationView *view)
{
    GString *text = NULL;

    if (view->matters->len == 0)
        return NULL;
    text = g_string_new("blocked by hold ");
    for (guint i = 0; i < view->matters->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (char *) view->matters->pdata[i]);
    return g_string_free(text, FALSE);
}

static void
leave_held(Run *self, const AnnotationLog *log)
{
    g_autofree char *held = describe_holds(log->view);

    self->n_left++;
    tell(self, log->session, held, NULL);
}

/* `is_held`: out: it is a hold that forbids it. */
static bool
annotate(const Run *self, const AnnotationLog *log, AnnotationKind kind, bool *is_held,
         GError **error)
{
    g_autoptr(Annotation) next = annotation_new(log->org, log->session, kind);
    g_autofree char *request = g_strdup_printf("%u", log->view->request);
    AuditEvent event = {.kind = AUDIT_ERASURE_REQUESTED, .reason = self->many->reason};

    if (kind == ANNOTATION_ERASURE_REQUESTED) {
        annotation_set(next, ANNOTATION_REASON, self->many->reason);
    } else {
        annotation_set(next, ANNOTATION_REQUEST, request);
        event = (AuditEvent){.kind = AUDIT_ERASURE_APPROVED, .approver = self->custody.by};
    }
    *is_held = custody_decide(&self->custody, log->view, next).reason == ACCESS_HELD;
    return custody_annotate(&self->custody, next, event, error);
}

/* Whether all there is of it was handed over; if not, says so. */
static bool
is_exported(Run *self, const Recording *recording, const AnnotationLog *log)
{
    g_autofree char *why = NULL;
    g_autofree char *what = NULL;

    if (offboard_compare(self->many->exported, recording, log, &why) == OFFBOARD_CURRENT)
        return true;
    what = g_strdup_printf("%s: `sealtape offboard` exports it", why);
    leave(self, log->session, what);
    return false;
}

/* By what stands there once it is approved, which may be more than what was approved. */
static bool
erase(Run *self, const char *org, const char *session, GError **error)
{
    g_autoptr(AnnotationLog) log = NULL;
    g_autoptr(Recording) recording =
        custody_open_recording(&self->custody, org, session, &log, error);
    g_autofree char *pending = NULL;
    g_auto(ErasureResult) result = {0};
    ErasureOrder order = custody_order(&self->custody, org, session);

    if (recording == NULL)
        return false;
    if (log->view->matters->len > 0) {
        leave_held(self, log);
        return true;
    }
    if (self->many->client == NULL && !is_exported(self, recording, log))
        return true;
    order.reason = log->view->request_reason;
    order.request = log->view->request;
    order.requested = log->view->requested_by;
    order.approved = log->view->approved_by;
    order.begun_at_unix_s = log->view->begun_at_unix_s;
    if (!erase_run(&self->custody, &order, &result, error))
        return false;
    if (result.until != NULL) {
        self->n_left++;
        pending = g_strdup_printf("erased by key, bytes locked until %s; pending until %s",
                                  result.until, result.until);
    }
    tell(self, session, pending != NULL ? pending : "erased", result.until);
    return true;
}

static bool
approve(Run *self, const AnnotationLog *log, GError **error)
{
    GError *fault = NULL;
    bool is_held = false;

    if (log->view->request == 0) {
        leave(self, log->session, "nobody has requested its erasure");
        return true;
    }
    if (log->view->approved_by == NULL &&
        !annotate(self, log, ANNOTATION_ERASURE_APPROVED, &is_held, &fault)) {
        if (is_held && g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_DENIED)) {
            g_error_free(fault);
            leave_held(self, log);
            return true;
        }
        g_propagate_error(error, fault);
        return false;
    }
    return erase(self, log->org, log->session, error);
}

static bool
request(Run *self, const AnnotationLog *log, GError **error)
{
    g_autofree char *already = NULL;
    bool is_held = false;

    if (log->view->request == 0) {
        if (!annotate(self, log, ANNOTATION_ERASURE_REQUESTED, &is_held, error))
            return false;
    } else {
        already = g_strdup_printf("requested by %s already", log->view->requested_by);
    }
    tell(self, log->session, already != NULL ? already : "requested: another person approves it",
         NULL);
    return true;
}

static void
list(Run *self, const AnnotationLog *log)
{
    const AnnotationView *view = log->view;
    g_autofree char *held = describe_holds(view);
    g_autofree char *by =
        g_strdup_printf("requested by %s, %s", view->request != 0 ? view->requested_by : "nobody",
                        view->approved_by != NULL ? "approved" : "not approved");

    tell(self, log->session,
         held != NULL         ? held
         : view->request != 0 ? by
                              : "to be erased: not requested",
         NULL);
}

/* Returns: whether it is the client's; with `why` set: nobody can tell. */
static bool
is_of_client(const Run *self, const ManifestPart *manifest, char **why, GError **error)
{
    const EraseMany *many = self->many;
    g_autoptr(SessionPeople) people =
        session_people_read(self->custody.store, manifest, self->identities, why, error);
    const GPtrArray *all = people != NULL ? session_people_list(people) : NULL;

    for (guint i = 0; all != NULL && i < all->len; i++) {
        const SessionPerson *person = all->pdata[i];
        g_autofree char *pseudonym = NULL;

        if (person->subject == NULL)
            continue;
        if (strcmp(person->subject, many->client) == 0)
            return true;
        if (!client_ref_is_pseudonym(many->client))
            continue;
        pseudonym = client_ref_pseudonym(self->custody.settings, many->org, person->subject, error);
        if (pseudonym == NULL)
            return false;
        if (strcmp(pseudonym, many->client) == 0)
            return true;
    }
    return false;
}

/* Whether it is among those that are meant. Returns: false has said why nobody knows. */
static bool
is_meant(Run *self, const Recording *recording, const AnnotationLog *log, bool *is_so,
         GError **error)
{
    const char *session = log->session;
    g_autofree char *why = NULL;
    GError *fault = NULL;

    if (self->many->client == NULL) {
        *is_so = is_exported(self, recording, log);
        return true;
    }
    *is_so = is_of_client(self, recording_manifest(recording), &why, &fault);
    if (fault != NULL) {
        g_propagate_error(error, fault);
        return false;
    }
    if (why != NULL)
        leave(self, session, why);
    return true;
}

static bool
act_on(Run *self, const char *session, GError **error)
{
    g_autoptr(AnnotationLog) log = NULL;
    g_autoptr(Recording) recording =
        custody_open_recording(&self->custody, self->many->org, session, &log, error);
    bool is_so = false;

    if (recording == NULL)
        return false;
    /* Its metadata may be gone; `retention run` goes on with what has begun. */
    if (log->view->is_erasing || log->view->is_erased)
        return true;
    if (!is_meant(self, recording, log, &is_so, error))
        return false;
    if (!is_so)
        return true;
    switch (self->many->act) {
    case ERASE_MANY_REQUEST:
        return request(self, log, error);
    case ERASE_MANY_APPROVE:
        return approve(self, log, error);
    case ERASE_MANY_LIST:
    default:
        list(self, log);
        return true;
    }
}

/* The auditors know first that metadata are opened, and for whom. */
static bool
set_up(Run *self, GError **error)
{
    const EraseMany *many = self->many;
    g_autofree char *pseudonym = NULL;
    AuditEvent event = {.kind = AUDIT_ACCESS_ASKED,
                        .detail = many->client != NULL ? "find-client" : "offboard"};

    if (!custody_open(&self->custody, self->context, error) ||
        !custody_may(&self->custody, many->org, ACCESS_HOLDS_READ, &event, error))
        return false;
    if (many->client == NULL)
        return true;
    self->identities = identity_files_read((const char *const *) many->identities,
                                           passphrase_ask_for_file, NULL, error);
    if (self->identities == NULL)
        return false;
    pseudonym = client_ref_pseudonym(self->custody.settings, many->org, many->client, NULL);
    event.client = pseudonym;
    return audit_journal_write(self->custody.journal, many->org, &event, error);
}

static bool
run(Run *self, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    if (!set_up(self, error))
        return false;
    names = session_list_names(self->custody.store, self->many->org, error);
    for (guint i = 0; names != NULL && i < names->len; i++) {
        const SessionName *name = names->pdata[i];
        g_autoptr(GError) fault = NULL;

        if (!act_on(self, name->session, &fault))
            leave(self, name->session, fault->message);
    }
    if (names != NULL && self->many->act == ERASE_MANY_APPROVE)
        erase_run_tell_catalogue(&self->custody, self->many->org);
    return names != NULL;
}

int
erase_many_run(CommandContext *context, const EraseMany *many)
{
    Run self = {.context = context, .many = many};
    g_autoptr(GError) error = NULL;
    int status = EXIT_CODE_OK;

    self.rows = command_context_as_json(context) ? json_array() : NULL;
    if (!run(&self, &error)) {
        status = command_context_fail(context, g_steal_pointer(&error));
    } else if (self.n_left > 0) {
        status = EXIT_CODE_FINDINGS;
    }
    if (self.rows != NULL) {
        command_context_print_json(
            json_pack("{s:b, s:o}", "ok", status == EXIT_CODE_OK, "sessions", self.rows));
    } else if (status != EXIT_CODE_FAILED) {
        g_print("%u recording%s, %u left.\n", self.n_sessions, self.n_sessions == 1 ? "" : "s",
                self.n_left);
    }
    custody_clear(&self.custody);
    g_clear_pointer(&self.identities, g_ptr_array_unref);
    return status;
}
