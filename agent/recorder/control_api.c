#include "agent/recorder/control_api.h"

#include "agent/recorder/metrics.h"
#include "agent/recorder/session_end.h"
#include "agent/recorder/session_events.h"
#include "crypto/age_context.h"

#include <string.h>

/* In the order of RecorderError. */
static const unsigned status_of_error[] = {
    [RECORDER_ERROR_REFUSED] = 403,  [RECORDER_ERROR_INVALID] = 422,
    [RECORDER_ERROR_CONFLICT] = 409, [RECORDER_ERROR_CAPACITY] = 503,
    [RECORDER_ERROR_STORE] = 503,    [RECORDER_ERROR_FULL] = 507,
    [RECORDER_ERROR_AUDIT] = 503,
};

static unsigned
status_of(const GError *error)
{
    if (error->domain == SESSION_LIMIT_ERROR)
        return 429;
    return error->domain == RECORDER_ERROR ? status_of_error[error->code] : 500;
}

/* `reason`: of the decision; NULL for none. */
static void
reply_error(HttpRequest *request, const Session *session, const GError *error, const char *reason)
{
    http_reply_problem(request, status_of(error), error->message,
                       session_refusal_to_json(session, error, reason));
}

/* Takes `fault`. */
static void
reply_fault(HttpRequest *request, char *fault)
{
    g_autofree char *sentence = fault;

    http_reply_problem(request, 422, sentence, NULL);
}

/* The session that the path names, or an answer and NULL. */
static Session *
find_session(HttpRequest *request, const Recorder *recorder)
{
    const char *id = http_request_parameter(request, 0);
    Session *session = recorder_session(recorder, id);

    if (session == NULL) {
        http_reply_problem(request, 404, "there is no such session in this recorder", NULL);
    } else {
        session_note_request(session);
    }
    return session;
}

static bool
is_stopping(HttpRequest *request, Recorder *recorder)
{
    RecorderStatus status = {0};

    recorder_status(recorder, &status);
    if (status.is_stopping)
        http_reply_problem(request, 503, "the recorder is stopping", NULL);
    return status.is_stopping;
}

static void
on_session_started(Session *session, const char *reason, const GError *error, void *user_data)
{
    HttpRequest *request = user_data;

    if (error != NULL) {
        reply_error(request, session, error, reason);
    } else {
        http_reply_json(request, 201, session_to_json(session));
    }
}

static void
post_session(HttpRequest *request, void *user_data)
{
    Recorder *recorder = user_data;
    char *fault = NULL;
    SessionRequest *wanted = NULL;

    if (is_stopping(request, recorder))
        return;
    wanted = session_request_parse(http_request_body(request), &fault);
    if (wanted == NULL) {
        reply_fault(request, fault);
    } else {
        recorder_start_session(recorder, wanted, on_session_started, request);
    }
}

static void
get_sessions(HttpRequest *request, void *user_data)
{
    g_autoptr(GPtrArray) sessions = recorder_sessions(user_data);
    json_t *list = json_array();

    for (guint i = 0; i < sessions->len; i++)
        json_array_append_new(list, session_to_json(g_ptr_array_index(sessions, i)));
    http_reply_json(request, 200, json_pack("{s:o}", "sessions", list));
}

static void
get_session(HttpRequest *request, void *user_data)
{
    const Session *session = find_session(request, user_data);

    if (session != NULL)
        http_reply_json(request, 200, session_to_json(session));
}

static void
post_track(HttpRequest *request, void *user_data)
{
    Session *session = NULL;
    TrackRequest *wanted = NULL;
    char *fault = NULL;

    if (is_stopping(request, user_data))
        return;
    session = find_session(request, user_data);
    if (session == NULL)
        return;
    wanted = session_parse_track(session, http_request_body(request), &fault);
    if (wanted == NULL) {
        reply_fault(request, fault);
    } else {
        session_add_track(session, wanted, on_session_started, request);
    }
}

/* The session after a change, or why there was none. */
static void
reply_change(HttpRequest *request, const Session *session, const GError *error)
{
    if (error != NULL) {
        reply_error(request, session, error, NULL);
    } else {
        http_reply_json(request, 200, session_to_json(session));
    }
}

static void
post_participant(HttpRequest *request, void *user_data)
{
    Session *session = find_session(request, user_data);
    g_autoptr(GError) error = NULL;

    if (session == NULL)
        return;
    (void) session_add_participant(session, http_request_body(request), &error);
    reply_change(request, session, error);
}

static void
delete_participant(HttpRequest *request, void *user_data)
{
    Session *session = find_session(request, user_data);
    g_autoptr(GError) error = NULL;

    if (session == NULL)
        return;
    (void) session_remove_participant(session, http_request_parameter(request, 1), &error);
    reply_change(request, session, error);
}

static void
post_consent(HttpRequest *request, void *user_data)
{
    Session *session = find_session(request, user_data);
    g_autoptr(GError) error = NULL;

    if (session == NULL)
        return;
    (void) session_add_consent(session, http_request_body(request), &error);
    reply_change(request, session, error);
}

static void
post_pause(HttpRequest *request, void *user_data)
{
    Session *session = find_session(request, user_data);
    const json_t *member = NULL;
    g_autoptr(GError) error = NULL;

    if (session == NULL)
        return; /* answered: the request is gone */
    member = json_object_get(http_request_body(request), "reason");
    (void) session_pause(session, member == NULL ? "by-request" : json_string_value(member),
                         &error);
    reply_change(request, session, error);
}

static void
post_resume(HttpRequest *request, void *user_data)
{
    Session *session = find_session(request, user_data);
    g_autoptr(GError) error = NULL;

    if (session == NULL)
        return;
    (void) session_resume(session, &error);
    reply_change(request, session, error);
}

static void
on_transcript_sealed(json_t *answer, const GError *error, void *user_data)
{
    if (error != NULL) {
        http_reply_problem(user_data, status_of(error), error->message, NULL);
    } else {
        http_reply_json(user_data, 201, answer);
    }
}

/* The session has ended, and this recorder may have forgotten it, or never known it. */
static void
post_transcript(HttpRequest *request, void *user_data)
{
    const char *session = http_request_parameter(request, 0);

    if (is_stopping(request, user_data))
        return;
    if (!age_context_id_is_valid(session)) {
        http_reply_problem(request, 404, "there is no such session", NULL);
        return;
    }
    transcripts_add(recorder_transcripts(user_data), session, http_request_body(request),
                    on_transcript_sealed, request);
}

static void
get_events(HttpRequest *request, void *user_data)
{
    Session *session = find_session(request, user_data);

    if (session != NULL)
        session_events_stream(session, request);
}

static void
post_stop(HttpRequest *request, void *user_data)
{
    Session *session = find_session(request, user_data);

    if (session == NULL)
        return;
    if (session_stop(session))
        g_message("session %s: stopped", session_id(session));
    /* Whoever stops twice, or after the end, learns how it stands. */
    http_reply_json(request, 200, session_to_json(session));
}

static void
get_healthz(HttpRequest *request, void *user_data)
{
    http_reply_json(request, 200, json_pack("{s:s}", "status", "ok"));
}

static void
get_readyz(HttpRequest *request, void *user_data)
{
    RecorderStatus status = {0};

    recorder_status(user_data, &status);
    if (status.is_stopping) {
        http_reply_problem(request, 503, "the recorder is stopping", NULL);
    } else if (status.has_disk_trouble) {
        http_reply_problem(request, 503, "the spool can not be written", NULL);
    } else if (status.spool_level >= SPOOL_SPACE_SCARCE) {
        http_reply_problem(request, 503, "the spool's disk is nearly full: no session can begin",
                           json_pack("{s:s}", "reason", "disk-full"));
    } else {
        http_reply_json(request, 200,
                        json_pack("{s:s, s:b, s:s}", "status", "ready", "upload_parked",
                                  status.uploader.is_parked, "spool",
                                  spool_space_word(status.spool_level)));
    }
}

static void
get_metrics(HttpRequest *request, void *user_data)
{
    g_autofree char *text = metrics_text(user_data);

    http_reply_text(request, 200, "text/plain; version=0.0.4", text);
}

HttpService *
control_api_new(Recorder *recorder, const char *socket_path, GError **error)
{
    static const HttpRoute routes[] = {
        {"POST",   "/v1/sessions",                         post_session      },
        {"GET",    "/v1/sessions",                         get_sessions      },
        {"GET",    "/v1/sessions/{id}",                    get_session       },
        {"POST",   "/v1/sessions/{id}/tracks",             post_track        },
        {"POST",   "/v1/sessions/{id}/participants",       post_participant  },
        {"DELETE", "/v1/sessions/{id}/participants/{pid}", delete_participant},
        {"POST",   "/v1/sessions/{id}/consents",           post_consent      },
        {"POST",   "/v1/sessions/{id}/pause",              post_pause        },
        {"POST",   "/v1/sessions/{id}/resume",             post_resume       },
        {"POST",   "/v1/sessions/{id}/transcripts",        post_transcript   },
        {"GET",    "/v1/sessions/{id}/events",             get_events        },
        {"POST",   "/v1/sessions/{id}/stop",               post_stop         },
        {"GET",    "/healthz",                             get_healthz       },
        {"GET",    "/readyz",                              get_readyz        },
        {"GET",    "/metrics",                             get_metrics       },
        {NULL,     NULL,                                   NULL              },
    };

    return http_service_new(socket_path, routes, recorder, error);
}
