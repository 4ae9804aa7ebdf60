#include "agent/opener/access_api.h"

#include "agent/opener/access_answer.h"
#include "agent/opener/access_call.h"
#include "agent/opener/access_metrics.h"
#include "agent/opener/access_stream.h"
#include "agent/opener/grant_desk.h"
#include "agent/opener/review_api.h"
#include "agent/service/http_caller.h"

#include <string.h>

static void
refuse(HttpRequest *request, unsigned status, const char *reason, const char *sentence)
{
    g_auto(Refusal) refusal = {0};

    refusal_set(&refusal, status, reason, "%s", sentence);
    access_answer_refuse(request, &refusal);
}

/* --- asking for a grant --- */

static void
on_granted(Grant *grant, const Refusal *refusal, void *user_data)
{
    if (grant != NULL) {
        http_reply_json(user_data, 201, grant_to_json(grant));
    } else {
        access_answer_refuse(user_data, refusal);
    }
}

static void
ask_grant(Opener *opener, HttpRequest *request, const Caller *caller)
{
    g_autofree char *fault = NULL;
    g_autoptr(GrantRequest) wanted = grant_request_parse(http_request_body(request), &fault);

    if (wanted == NULL) {
        http_reply_problem(request, 422, fault, NULL);
    } else if (wanted->org != NULL && strcmp(wanted->org, caller->org) != 0) {
        /* As if it were nowhere. */
        refuse(request, 404, "session-unknown", "There is no such session.");
    } else {
        grant_desk_ask(opener, caller, g_steal_pointer(&wanted), on_granted, request);
    }
}

static void
post_grant(HttpRequest *request, void *user_data)
{
    const char *org = json_string_value(json_object_get(http_request_body(request), "org"));

    access_call_begin(user_data, request, org, ask_grant);
}

/* --- the grants that are --- */

static void
list_grants(Opener *opener, HttpRequest *request, const Caller *caller)
{
    const unsigned whole = 1u << ACCESS_ROLE_CUSTODIAN | 1u << ACCESS_ROLE_AUDITOR;
    g_autoptr(GPtrArray) grants =
        grant_table_list(opener->grants, caller, (caller->roles & whole) != 0);
    json_t *list = json_array();

    for (guint i = 0; i < grants->len; i++) {
        const Grant *grant = grants->pdata[i];
        json_t *row = grant_to_json(grant);

        /* Whose it is; and what it would open is the affair of whom it was given to. */
        json_object_set_new(row, "person", json_string(grant->caller->id));
        if (!caller_is_same(grant->caller, caller)) {
            json_object_del(row, "tracks");
            json_object_del(row, "part2");
        }
        json_array_append_new(list, row);
    }
    http_reply_json(request, 200, json_pack("{s:o}", "grants", list));
}

static void
get_grants(HttpRequest *request, void *user_data)
{
    g_autofree char *org = http_caller_query(request, "org");

    access_call_begin(user_data, request, org, list_grants);
}

/* Custodians end others' as well. Returns: NULL has answered. */
static Grant *
find_grant(Opener *opener, HttpRequest *request, const Caller *caller, bool may_be_others)
{
    const char *id = http_request_parameter(request, 0);
    Grant *grant = grant_table_find(opener->grants, id, NULL);

    if (grant != NULL && !caller_is_same(grant->caller, caller) &&
        !(may_be_others && strcmp(grant->caller->org, caller->org) == 0 &&
          (caller->roles & 1u << ACCESS_ROLE_CUSTODIAN) != 0))
        grant = NULL;
    if (grant == NULL)
        refuse(request, 404, "grant-unknown", "There is no such grant.");
    return grant;
}

static void
show_grant(Opener *opener, HttpRequest *request, const Caller *caller)
{
    const Grant *grant = find_grant(opener, request, caller, false);

    if (grant != NULL)
        http_reply_json(request, 200, grant_to_json(grant));
}

static void
revoke_grant(Opener *opener, HttpRequest *request, const Caller *caller)
{
    Grant *grant = find_grant(opener, request, caller, true);

    if (grant == NULL)
        return;
    grant_table_revoke(opener->grants, grant,
                       caller_is_same(grant->caller, caller) ? "returned" : "revoked");
    http_reply_json(request, 200, grant_to_json(grant));
}

/* The organisation of a grant's person, for a local operator of several. */
static const char *
org_of_grant(const Opener *opener, const HttpRequest *request)
{
    const Grant *grant = grant_table_find(opener->grants, http_request_parameter(request, 0), NULL);

    return grant != NULL ? grant->caller->org : NULL;
}

static void
get_grant(HttpRequest *request, void *user_data)
{
    access_call_begin(user_data, request, org_of_grant(user_data, request), show_grant);
}

static void
delete_grant(HttpRequest *request, void *user_data)
{
    access_call_begin(user_data, request, org_of_grant(user_data, request), revoke_grant);
}

/* --- media --- */

static Grant *
find_usable_grant(Opener *opener, HttpRequest *request, const Caller *caller)
{
    Grant *grant = find_grant(opener, request, caller, false);

    if (grant == NULL)
        return NULL;
    (void) grant_expire(grant, g_get_monotonic_time()); /* the table notices in a moment */
    if (!grant_is_alive(grant)) {
        refuse(request, 410, grant->state == GRANT_EXPIRED ? "grant-expired" : "grant-revoked",
               "This grant has ended.");
    } else if (opener->streams->len >= opener->settings->access->max_streams) {
        refuse(request, 503, "capacity", "No more media can be streamed now.");
    } else {
        return grant;
    }
    return NULL;
}

typedef struct {
    char **tracks;
    int64_t from_us, until_us;
    MediaJobForm form;
    bool is_audio_only;
    const char *fault;
} MediaQuery;

static void
read_media_times(MediaQuery *self, const HttpRequest *request)
{
    g_autofree char *from = http_caller_query(request, "from_us");
    g_autofree char *until = http_caller_query(request, "to_us");

    if ((from != NULL && !grant_request_read_time(from, &self->from_us)) ||
        (until != NULL && !grant_request_read_time(until, &self->until_us)))
        self->fault = "from_us and to_us are whole numbers of microseconds.";
}

static void
read_media_query(MediaQuery *self, const HttpRequest *request, const Grant *grant)
{
    static const char *const known[] = {"format", "tracks", "from_us", "to_us", NULL};
    g_autofree char *unknown = http_caller_unknown_query(request, known);
    g_autofree char *format = http_caller_query(request, "format");
    g_autofree char *tracks = http_caller_query(request, "tracks");

    *self = (MediaQuery){.from_us = grant->request->from_us, .until_us = grant->request->until_us};
    if (unknown != NULL)
        self->fault = "The query has a name that nobody knows, or one twice.";
    if (tracks != NULL) {
        self->tracks = grant_request_split_tracks(tracks);
        if (self->tracks == NULL)
            self->fault = "tracks are ids, separated by commas.";
    }
    read_media_times(self, request);
    if (format == NULL || strcmp(format, "matroska") == 0) {
        self->form = MEDIA_JOB_MATROSKA;
    } else if (strcmp(format, "webm") == 0) {
        self->form = MEDIA_JOB_WEBM;
    } else if (strcmp(format, "audio") == 0) {
        self->is_audio_only = true;
    } else {
        self->fault = "format is one of matroska, webm and audio.";
    }
}

/* Returns: the ids of the grant's tracks that are asked for, owned; NULL for none. */
static char **
choose_tracks(const Grant *grant, const MediaQuery *query)
{
    GPtrArray *chosen = g_ptr_array_new();

    for (size_t i = 0; i < json_array_size(grant->tracks); i++) {
        const json_t *row = json_array_get(grant->tracks, i);
        const char *id = json_string_value(json_object_get(row, "id"));
        const char *kind = json_string_value(json_object_get(row, "kind"));
        const bool is_media =
            strcmp(kind, "audio") == 0 || (strcmp(kind, "video") == 0 && !query->is_audio_only);

        if (is_media &&
            (query->tracks == NULL || g_strv_contains((const char *const *) query->tracks, id)))
            g_ptr_array_add(chosen, g_strdup(id));
    }
    if (chosen->len == 0) {
        g_ptr_array_free(chosen, TRUE);
        return NULL;
    }
    g_ptr_array_add(chosen, NULL);
    return (char **) g_ptr_array_free(chosen, FALSE);
}

static const char *
content_type_of(const MediaQuery *query)
{
    if (query->form == MEDIA_JOB_WEBM)
        return "video/webm";
    return query->is_audio_only ? "audio/x-matroska" : "video/x-matroska";
}

static void
stream_media(Opener *opener, HttpRequest *request, const Caller *caller)
{
    Grant *grant = find_usable_grant(opener, request, caller);
    MediaQuery query = {0};
    g_auto(GStrv) tracks = NULL;

    if (grant == NULL)
        return;
    read_media_query(&query, request, grant);
    tracks = query.fault == NULL ? choose_tracks(grant, &query) : NULL;
    if (query.fault != NULL) {
        http_reply_problem(request, 422, query.fault, NULL);
    } else if (!grant_covers(grant, query.tracks, query.from_us, query.until_us)) {
        refuse(request, 403, "outside-grant", "The grant is not for these tracks, or this time.");
    } else if (tracks == NULL) {
        refuse(request, 404, "track-unknown", "Nothing of that kind was recorded.");
    } else {
        access_stream_start(opener, grant, request,
                            &(AccessStreamOptions){.form = query.form,
                                                   .tracks = tracks,
                                                   .from_us = query.from_us,
                                                   .until_us = query.until_us,
                                                   .content_type = content_type_of(&query)});
    }
    g_strfreev(query.tracks);
}

static void
get_media(HttpRequest *request, void *user_data)
{
    access_call_begin(user_data, request, org_of_grant(user_data, request), stream_media);
}

static void
stream_segments(Opener *opener, HttpRequest *request, const Caller *caller)
{
    Grant *grant = find_usable_grant(opener, request, caller);
    char *track = NULL;
    guint64 part = 0;

    if (grant == NULL)
        return;
    track = g_strdup(http_request_parameter(request, 1));
    if (!g_ascii_string_to_unsigned(http_request_parameter(request, 2), 10, 0, G_MAXUINT32, &part,
                                    NULL) ||
        !grant_covers(grant, (char *[]){track, NULL}, grant->request->from_us,
                      grant->request->until_us)) {
        refuse(request, 404, "track-unknown", "The grant is for no such part of a track.");
    } else {
        access_stream_start(opener, grant, request,
                            &(AccessStreamOptions){
                                .form = MEDIA_JOB_SEGMENTS,
                                .tracks = (char *[]){track, NULL},
                                .part = (unsigned) part,
                                .from_us = grant->request->from_us,
                                .until_us = grant->request->until_us,
                                .content_type = "application/vnd.sealtape.segments"
        });
    }
    g_free(track);
}

static void
stream_amendments(Opener *opener, HttpRequest *request, const Caller *caller)
{
    Grant *grant = find_usable_grant(opener, request, caller);

    if (grant != NULL) {
        access_stream_start(opener, grant, request,
                            &(AccessStreamOptions){.form = MEDIA_JOB_AMENDMENTS,
                                                   .tracks = (char *[]){NULL},
                                                   .until_us = INT64_MAX,
                                                   .content_type = "application/x-ndjson"});
    }
}

static void
get_amendments(HttpRequest *request, void *user_data)
{
    access_call_begin(user_data, request, org_of_grant(user_data, request), stream_amendments);
}

static void
get_segments(HttpRequest *request, void *user_data)
{
    access_call_begin(user_data, request, org_of_grant(user_data, request), stream_segments);
}

/* --- how it is --- */

static void
get_healthz(HttpRequest *request, void *user_data)
{
    http_reply_json(request, 200, json_pack("{s:s}", "status", "ok"));
}

static void
get_readyz(HttpRequest *request, void *user_data)
{
    const Opener *opener = user_data;
    AuditTrailStatus audit = {0};

    audit_trail_status(opener->audit, &audit);
    if (opener->is_stopping) {
        refuse(request, 503, "stopping", "The opener is stopping.");
    } else if (audit.n_failing > 0) {
        refuse(request, 503, "audit-unavailable",
               "An audit log takes nothing, so that nothing of its organisation is opened.");
    } else if (opener->source.identities->len == 0) {
        refuse(request, 503, "keys-unavailable",
               "There is no identity: access.identities is empty.");
    } else {
        http_reply_json(request, 200, json_pack("{s:s}", "status", "ready"));
    }
}

static void
get_metrics(HttpRequest *request, void *user_data)
{
    g_autofree char *text = access_metrics_text(user_data);

    http_reply_text(request, 200, "text/plain; version=0.0.4", text);
}

HttpService *
access_api_new(Opener *opener, GError **error)
{
    static const HttpRoute routes[] = {
        {"POST",   "/v1/grants",                                 post_grant      },
        {"GET",    "/v1/grants",                                 get_grants      },
        {"GET",    "/v1/grants/{grant}",                         get_grant       },
        {"DELETE", "/v1/grants/{grant}",                         delete_grant    },
        {"GET",    "/v1/grants/{grant}/media",                   get_media       },
        {"GET",    "/v1/grants/{grant}/amendments",              get_amendments  },
        {"GET",    "/v1/grants/{grant}/segments/{track}/{part}", get_segments    },
        {"GET",    "/v1/reviews",                                review_api_list },
        {"POST",   "/v1/reviews/{review}/close",                 review_api_close},
        {"GET",    "/healthz",                                   get_healthz     },
        {"GET",    "/readyz",                                    get_readyz      },
        {"GET",    "/metrics",                                   get_metrics     },
        {NULL,     NULL,                                         NULL            },
    };

    return http_service_new(opener->settings->access->socket_path, routes, opener, error);
}
