#include "agent/opener/grant_desk.h"

#include "agent/opener/access_answer.h"
#include "agent/opener/access_record.h"
#include "agent/opener/review_shelf.h"
#include "crypto/crypto_error.h"
#include "storage/storage_error.h"

#include <gio/gio.h>

/* The order of a grant, in a thread:
 *  1. The record that somebody asks is durable: from here on the session's metadata may be opened.
 *  2. The manifest is read. A session of another organisation is not found just as one that is
 *     nowhere: the same reads, the same answer.
 *  3. The metadata is opened, what was told of the session since is read, and all is decided.
 *  4. What was opened by break-glass waits for its review, sealed and durable, before it is
 * granted.
 *  5. The record of the decision is durable; a refusal's may be one of many that are only counted.
 *  6. Back in the main thread the grant comes into the table. */

/* Decided at once; more wait for nobody and are told to come again. */
#define MAX_ASKS 64

typedef struct {
    Opener *opener;
    const Settings *settings; /* held */
    const OrgSettings *org;
    Caller *caller;
    GrantRequest *request;
    GrantDeskDone done;
    void *user_data;
    Grant *grant; /* out, as the refusal */
    AccessDecision decision;
    unsigned n_amendments;
    json_t *part2; /* NULL: it has no label */
    Refusal refusal;
} Ask;

static void
ask_free(Ask *self)
{
    settings_shelf_release(self->opener->shelf, self->settings);
    caller_free(self->caller);
    grant_request_free(self->request);
    json_decref(self->part2);
    refusal_clear(&self->refusal);
    g_free(self);
}

static const char *
sentence_of(AccessReason reason)
{
    switch ((int) reason) {
    case ACCESS_ROLE_FORBIDDEN:
        return "None of your roles may open recordings.";
    case ACCESS_PURPOSE_FORBIDDEN:
    case ACCESS_PURPOSE_UNKNOWN:
        return "Your role may not open a recording for this purpose.";
    case ACCESS_NOT_OWN:
        return "You were not in this session in that role.";
    case ACCESS_NOT_RELEASED:
        return "The organisation has not released this recording to its client.";
    case ACCESS_REASON_MISSING:
        return "This needs a reason, as a text in `reason`.";
    case ACCESS_SESSION_OPEN:
        return "The session is still being recorded.";
    case ACCESS_SESSION_QUARANTINED:
        return "The recording is in quarantine.";
    case ACCESS_SESSION_RESTRICTED:
        return "The use of this recording is restricted.";
    case ACCESS_SESSION_ERASED:
        return "The recording is erased.";
    case ACCESS_CONSENT_MISSING:
        return "Not everyone in the session has consented to this.";
    case ACCESS_PART2_CONSENT_MISSING:
        return "42 CFR part 2 protects this recording, and the client has not consented to this "
               "disclosure.";
    case ACCESS_TRACK_FORBIDDEN:
        return "Your role may not have all of these tracks.";
    default:
        return "This recording may not be opened by you, for this, now.";
    }
}

static void
refuse(Ask *self, AccessReason reason)
{
    if (reason == ACCESS_ORG_MISMATCH) {
        refusal_set(&self->refusal, 404, "session-unknown", "There is no such session.");
    } else if (reason == ACCESS_MFA_REQUIRED) {
        access_answer_demand_mfa(&self->refusal, self->org, self->request->purpose);
    } else {
        refusal_set(&self->refusal, reason == ACCESS_AUDIT_UNAVAILABLE ? 503 : 403,
                    access_reason_text(reason), "%s", sentence_of(reason));
    }
}

static void
fail(Ask *self, const GError *error)
{
    if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        refusal_set(&self->refusal, 404, "session-unknown", "There is no such session.");
        return;
    }
    g_warning("session %s: can not be opened: %s", self->request->session, error->message);
    if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT)) {
        refusal_set(&self->refusal, 409, "recording-damaged",
                    "What is stored of this session is not genuine and whole.");
    } else if (g_error_matches(error, CRYPTO_ERROR, CRYPTO_ERROR_TOKEN)) {
        refusal_set(&self->refusal, 503, "token-unavailable", REFUSAL_TOKEN);
    } else {
        refusal_set(&self->refusal, 503, "store-unavailable", "The store does not answer.");
    }
}

/* Writes a record of what is asked now. Returns: false has refused. */
static bool
record(Ask *self, AuditEvent event)
{
    g_autoptr(GError) error = NULL;

    event.policy = self->org->digest;
    if (audit_trail_write(self->opener->audit, self->caller->org, &event, &error))
        return true;
    g_warning("%s: nothing is opened without an audit log: %s", self->caller->org, error->message);
    refusal_set(&self->refusal, 503, access_reason_text(ACCESS_AUDIT_UNAVAILABLE),
                "The audit log can not be written, and nothing opens without it.");
    return false;
}

static AuditEvent
event_of(const Ask *self, AuditKind kind)
{
    AuditEvent event = access_record_of_caller(kind, self->caller);

    event.session = self->request->session;
    event.use = self->request->purpose;
    return event;
}

static bool
decide(Ask *self, const SessionCase *session, GError **error)
{
    const SessionQuestion question = {
        .source = &self->opener->source,
        .org = self->org,
        .caller = self->caller,
        .request = {.action = ACCESS_PLAY,
                    .purpose = self->request->purpose,
                    .has_reason = self->request->reason != NULL,
                    .audit_is_ready = true},
        .tracks = self->request->tracks,
        .recipient = self->request->recipient,
        .n_amendments = &self->n_amendments,
        .part2 = &self->part2,
    };

    if (!session_case_has_tracks(session, self->request->tracks)) {
        refusal_set(&self->refusal, 404, "track-unknown", "The session has not all these tracks.");
        return true;
    }
    if (!session_case_decide(session, &question, &self->decision, error))
        return false;
    if (self->decision.reason != ACCESS_OK) {
        refuse(self, self->decision.reason);
    } else if (!caller_may_name(self->caller, self->request->purpose)) {
        refusal_set(&self->refusal, 403, access_reason_text(ACCESS_PURPOSE_FORBIDDEN),
                    "Your token is not for this purpose.");
    }
    return true;
}

/* What an auditor shall see of it. Returns: owned. */
static json_t *
describe_for_review(const Grant *grant)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(grant->issued_unix_us / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format_iso8601(at);

    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s}", "at", text, "session",
                     grant->request->session, "person", grant->caller->id, "purpose",
                     grant->request->purpose, "reason", grant->request->reason, "grant", grant->id);
}

/* Returns: false has refused. */
static bool
put_for_review(Ask *self, const Grant *grant)
{
    g_autoptr(GError) error = NULL;
    json_t *form = describe_for_review(grant);
    const bool is_kept =
        review_shelf_put(self->opener->review_path, self->org, grant->review, form, &error);

    json_decref(form);
    if (is_kept)
        return true;
    g_warning("%s: no break-glass that nobody could review: %s", self->caller->org, error->message);
    refusal_set(&self->refusal, 503, "reviews-unavailable",
                "What was opened by break-glass could not be kept for its review.");
    return false;
}

/* Takes the request on success. */
static void
grant(Ask *self, SessionCase *session, const Recording *recording)
{
    g_autofree char *review = self->decision.is_alarmed ? grant_draw_id() : NULL;
    g_autoptr(GError) error = NULL;
    const GrantOptions options = {
        .caller = self->caller,
        .decision = &self->decision,
        .session = session,
        .recording = recording,
        .review = review,
        .n_amendments = self->n_amendments,
        .part2 = self->part2,
        .now_us = g_get_monotonic_time(),
        .now_unix_us = g_get_real_time(),
    };
    g_autoptr(Grant) made = grant_new(&options, g_steal_pointer(&self->request));
    g_autofree char *tracks = NULL;

    if (made->review != NULL && !put_for_review(self, made)) {
        self->request = g_steal_pointer(&made->request); /* whose refusal is told */
        return;
    }
    if (record(self, access_record_of_grant(self->decision.is_alarmed ? AUDIT_BREAK_GLASS_STARTED
                                                                      : AUDIT_GRANT_ISSUED,
                                            made, &tracks))) {
        self->grant = g_steal_pointer(&made);
    } else if (review != NULL &&
               !review_shelf_remove(self->opener->review_path, self->org->id, review, &error)) {
        g_message("review %.8s: stays, though nothing was opened: %s", review, error->message);
    }
}

static bool
look(Ask *self, GError **error)
{
    g_autoptr(Recording) recording = session_case_recording(
        &self->opener->source, self->caller->org, self->request->session, error);
    g_autoptr(SessionCase) session = NULL;

    if (recording == NULL)
        return false;
    session = session_case_new(&self->opener->source, recording, error);
    if (session == NULL || !decide(self, session, error))
        return false;
    if (self->refusal.status == 0)
        grant(self, session, recording);
    return true;
}

static void
run_ask(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Ask *self = data;
    g_autoptr(GError) error = NULL;

    if (record(self, event_of(self, AUDIT_ACCESS_ASKED)) && !look(self, &error))
        fail(self, error);
    g_task_return_boolean(task, TRUE);
}

static void
note_refusal(Ask *self)
{
    AuditEvent event = {0};

    self->opener->counts.n_refused++;
    if (self->request == NULL)
        return; /* the grant's own record failed, which was told */
    event = event_of(self, AUDIT_ACCESS_REFUSED);
    event.outcome = self->refusal.status >= 500 ? AUDIT_FAILED : AUDIT_REFUSED;
    event.reason = self->refusal.reason;
    event.policy = self->org != NULL ? self->org->digest : NULL;
    audit_trail_note_bounded(self->opener->audit, self->caller->org, &event);
}

static void
on_asked(GObject *source, GAsyncResult *result, gpointer data)
{
    Ask *self = data;
    Opener *opener = self->opener;

    opener->n_asks--;
    if (self->grant != NULL) {
        opener->counts.n_granted++;
        g_message("grant %.8s: issued, session %s, %s as %s", self->grant->id,
                  self->grant->request->session, self->grant->request->purpose,
                  access_role_text(self->grant->decision.role));
        if (self->decision.is_alarmed) {
            opener->counts.n_break_glass++;
            g_warning("grant %.8s: break-glass in %s, session %s: to be reviewed", self->grant->id,
                      self->caller->org, self->grant->request->session);
        }
        grant_table_add(opener->grants, self->grant);
        if (opener->is_stopping)
            grant_table_revoke(opener->grants, self->grant, "stopping");
    } else {
        note_refusal(self);
    }
    self->done(self->grant, &self->refusal, self->user_data);
    ask_free(self);
}

static bool
is_too_much(Ask *self)
{
    const Opener *opener = self->opener;

    if (self->org == NULL) {
        refuse(self, ACCESS_POLICY_MISSING);
    } else if (self->request->role != 0 && self->caller->roles == 0) {
        refuse(self, ACCESS_ROLE_FORBIDDEN);
    } else if (!person_rates_admit(opener->rates, self->caller->id, g_get_monotonic_time())) {
        refusal_set(&self->refusal, 429, "rate", "You ask too often: wait a minute.");
    } else if (opener->is_stopping || opener->n_asks >= MAX_ASKS ||
               grant_table_room(opener->grants) == 0) {
        refusal_set(&self->refusal, 503, "capacity", "No more grants can be given now.");
    }
    return self->refusal.status != 0;
}

void
grant_desk_ask(Opener *opener, const Caller *caller, GrantRequest *request, GrantDeskDone done,
               void *user_data)
{
    Ask *self = g_new0(Ask, 1);
    g_autoptr(GTask) task = NULL;

    self->opener = opener;
    self->settings = settings_shelf_hold(opener->shelf);
    self->org = settings_org(self->settings, caller->org);
    self->caller = caller_copy(caller);
    self->request = request;
    if (request->role != 0)
        self->caller->roles &= request->role;
    self->done = done;
    self->user_data = user_data;
    if (is_too_much(self)) {
        note_refusal(self);
        done(NULL, &self->refusal, user_data);
        ask_free(self);
        return;
    }
    opener->n_asks++;
    task = g_task_new(NULL, NULL, on_asked, self);
    g_task_set_task_data(task, self, NULL);
    g_task_run_in_thread(task, run_ask);
}
