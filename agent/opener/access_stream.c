#include "agent/opener/access_stream.h"

#include "agent/opener/access_answer.h"
#include "agent/opener/access_record.h"
#include "agent/service/http_stream.h"
#include "crypto/crypto_error.h"
#include "storage/storage_error.h"

#include <gio/gio.h>

/* The job's thread writes into the answer, and both end with the job. */

struct AccessStream {
    Opener *opener;
    Grant *grant;             /* stays in the table as long as it counts this stream */
    const Settings *settings; /* held */
    const OrgSettings *org;
    HttpRequest *request; /* until the media come */
    HttpStream *answer;   /* from then on */
    MediaJob *job;        /* until it is done */
    const char *content_type;
    char *tracks;     /* as the record has them */
    uint64_t n_bytes; /* that were taken when it was looked at last */
    Refusal refusal;  /* of the job's thread, until it is done */
    AuditOutcome outcome;
    const char *reason; /* why it ended before its end, static */
    /* What the job's thread looks at, and nobody changes meanwhile. */
    SessionCase *session;
    SessionQuestion question;
    AuditEvent opened;
};

static void
stream_end(AccessStream *self)
{
    Opener *opener = self->opener;
    AuditEvent event = self->opened;

    event.kind = AUDIT_MEDIA_CLOSED;
    event.outcome = self->outcome;
    event.reason = self->reason;
    event.count = self->n_bytes;
    audit_trail_note(opener->audit, self->grant->caller->org, &event);
    opener->counts.n_streams++;
    opener->counts.n_bytes += self->n_bytes;
    self->grant->n_streams--;
    self->grant->used_us = g_get_monotonic_time();
    (void) g_ptr_array_remove_fast(opener->streams, self); /* it is there */
    settings_shelf_release(opener->shelf, self->settings);
    session_case_unref(self->session);
    refusal_clear(&self->refusal);
    g_free(self->tracks);
    g_free(self);
}

/* In the job's thread: the last word before a key is unwrapped. */
static bool
on_may_open(void *user_data, GError **error)
{
    AccessStream *self = user_data;
    AccessDecision decision = {0};

    if (!session_case_decide(self->session, &self->question, &decision, error))
        return false;
    if (decision.reason != ACCESS_OK) {
        refusal_set(&self->refusal, 403, access_reason_text(decision.reason),
                    "The grant does not hold any more.");
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "%s",
                    access_reason_text(decision.reason));
        return false;
    }
    if (audit_trail_write(self->opener->audit, self->question.caller->org, &self->opened, error))
        return true;
    refusal_set(&self->refusal, 503, access_reason_text(ACCESS_AUDIT_UNAVAILABLE),
                "The audit log can not be written, and nothing opens without it.");
    return false;
}

static void
on_job_ready(void *user_data)
{
    AccessStream *self = user_data;

    self->answer = http_stream_new(g_steal_pointer(&self->request), self->content_type);
    if (self->reason != NULL)
        http_stream_cut(self->answer); /* revoked meanwhile */
}

/* The job's thread. It waits for on_job_ready(). */
static bool
on_media(void *user_data, const struct iovec *pieces, unsigned n_pieces, GError **error)
{
    const AccessStream *self = user_data;

    return http_stream_write(self->answer, pieces, n_pieces, error);
}

/* The job's thread. */
static bool
on_media_end(void *user_data, GError **error)
{
    const AccessStream *self = user_data;

    return http_stream_finish(self->answer, error);
}

static void
refuse_by_error(AccessStream *self, const GError *error)
{
    g_warning("session %s: can not be opened: %s", self->grant->request->session, error->message);
    if (self->refusal.status == 0 && g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT)) {
        refusal_set(&self->refusal, 409, "recording-damaged",
                    "What is stored of this session is not genuine and whole.");
    } else if (self->refusal.status == 0 &&
               g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
        refusal_set(&self->refusal, 404, "track-unknown",
                    "Nothing was recorded of these tracks in this time.");
    } else if (self->refusal.status == 0 && error->domain == STORAGE_ERROR) {
        refusal_set(&self->refusal, 503, "store-unavailable", "The store does not give it.");
    } else if (self->refusal.status == 0 &&
               g_error_matches(error, CRYPTO_ERROR, CRYPTO_ERROR_TOKEN)) {
        refusal_set(&self->refusal, 503, "token-unavailable", REFUSAL_TOKEN);
    } else if (self->refusal.status == 0) {
        refusal_set(&self->refusal, 503, "keys-unavailable",
                    "No key that this service has opens this recording.");
    }
}

/* Its answer has begun, and ends before its end. */
static void
note_early_end(AccessStream *self, const GError *error)
{
    self->outcome = AUDIT_FAILED;
    if (!http_stream_has_reader(self->answer)) {
        self->reason = "reader-gone";
        return;
    }
    g_warning("session %s: its media end early: %s", self->grant->request->session, error->message);
    self->reason = "recording-damaged";
}

static void
on_job_done(const GError *error, void *user_data)
{
    AccessStream *self = user_data;

    self->job = NULL;
    if (error != NULL && self->request != NULL) {
        refuse_by_error(self, error);
        self->outcome = self->refusal.status >= 500 ? AUDIT_FAILED : AUDIT_REFUSED;
        self->reason = self->refusal.reason;
        access_answer_refuse(g_steal_pointer(&self->request), &self->refusal);
    } else if (error != NULL && self->reason == NULL) {
        note_early_end(self, error);
    }
    if (self->answer != NULL)
        self->n_bytes = http_stream_sent(self->answer);
    http_stream_free(self->answer);
    stream_end(self);
}

static void
prepare(AccessStream *self, const AccessStreamOptions *options)
{
    const Grant *grant = self->grant;
    g_autofree char *asked = NULL;

    self->opened = access_record_of_grant(grant->request->recipient == NULL ? AUDIT_MEDIA_EXPORTED
                                                                            : AUDIT_MEDIA_DISCLOSED,
                                          grant, &asked);
    self->tracks = g_strjoinv(",", options->tracks);
    self->opened.tracks = self->tracks;
    self->opened.detail = options->form == MEDIA_JOB_AMENDMENTS ? "amendments" : NULL;
    self->opened.from_us = options->from_us;
    self->opened.to_us = options->until_us == INT64_MAX ? 0 : options->until_us;
    self->opened.policy = self->org != NULL ? self->org->digest : NULL;
    self->session = session_case_ref(grant->session);
    self->question = (SessionQuestion){
        .source = &self->opener->source,
        .org = self->org,
        .caller = grant->caller,
        .request = {.action = ACCESS_PLAY,
                    .purpose = grant->request->purpose,
                    .has_reason = grant->request->reason != NULL,
                    .audit_is_ready = true},
        .tracks = grant->request->tracks,
        .recipient = grant->request->recipient,
    };
}

void
access_stream_start(Opener *opener, Grant *grant, HttpRequest *request,
                    const AccessStreamOptions *options)
{
    AccessStream *self = g_new0(AccessStream, 1);
    const MediaJobOptions job = {
        .source = &opener->source,
        .org = grant->caller->org,
        .session = grant->request->session,
        .tracks = options->tracks,
        .part = options->part,
        .from_us = options->from_us,
        .until_us = options->until_us,
        .form = options->form,
        .notice = grant->part2 != NULL ? part2_short_notice() : NULL,
        .may_open = on_may_open,
        .on_ready = on_job_ready,
        .on_media = on_media,
        .on_end = on_media_end,
        .on_done = on_job_done,
        .user_data = self,
    };

    self->opener = opener;
    self->grant = grant;
    self->settings = settings_shelf_hold(opener->shelf);
    self->org = settings_org(self->settings, grant->caller->org);
    self->request = request;
    self->content_type = options->content_type;
    prepare(self, options);
    grant->state = GRANT_USED;
    grant->used_us = g_get_monotonic_time();
    grant->n_streams++;
    g_ptr_array_add(opener->streams, self);
    self->job = media_job_start(&job);
}

void
access_stream_stop_all(Opener *opener, const Grant *grant)
{
    for (guint i = 0; i < opener->streams->len; i++) {
        AccessStream *self = opener->streams->pdata[i];

        if (self->grant != grant || self->reason != NULL)
            continue;
        self->outcome = AUDIT_FAILED;
        self->reason = "grant-ended";
        if (self->job != NULL)
            media_job_stop(self->job);
        if (self->answer != NULL)
            http_stream_cut(self->answer);
    }
}

void
access_stream_tick(Opener *opener, int64_t now_us)
{
    for (guint i = 0; i < opener->streams->len; i++) {
        AccessStream *self = opener->streams->pdata[i];
        const uint64_t n_bytes = self->answer != NULL ? http_stream_sent(self->answer) : 0;

        /* Who waits for a key, or reads, uses it. */
        if (self->answer == NULL || n_bytes != self->n_bytes)
            self->grant->used_us = now_us;
        self->n_bytes = n_bytes;
    }
}
