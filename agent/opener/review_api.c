#include "agent/opener/review_api.h"

#include "agent/opener/access_answer.h"
#include "agent/opener/access_call.h"
#include "agent/opener/access_record.h"
#include "agent/opener/review_shelf.h"
#include "agent/service/http_caller.h"

#include <string.h>

static void
refuse(HttpRequest *request, unsigned status, const char *reason, const char *sentence)
{
    g_auto(Refusal) refusal = {0};

    refusal_set(&refusal, status, reason, "%s", sentence);
    access_answer_refuse(request, &refusal);
}

static void
list(Opener *opener, HttpRequest *request, const Caller *caller)
{
    g_autoptr(GError) error = NULL;
    json_t *reviews = NULL;

    if (!access_call_may(opener, request, caller, ACCESS_REVIEW))
        return;
    reviews =
        review_shelf_list(opener->review_path, caller->org, opener->source.identities, &error);
    if (reviews == NULL) {
        g_warning("%s: what waits for a review can not be read: %s", caller->org, error->message);
        refuse(request, 503, "reviews-unavailable", "What waits for a review can not be read.");
        return;
    }
    http_reply_json(request, 200, json_pack("{s:o}", "reviews", reviews));
}

void
review_api_list(HttpRequest *request, void *user_data)
{
    g_autofree char *org = http_caller_query(request, "org");

    access_call_begin(user_data, request, org, list);
}

/* Returns: whether it is in the audit log; else has answered. */
static bool
record(Opener *opener, HttpRequest *request, const Caller *caller, const json_t *review,
       const char *verdict)
{
    g_autoptr(GError) error = NULL;
    AuditEvent event = access_record_of_caller(AUDIT_REVIEW_CLOSED, caller);

    event.session = json_string_value(json_object_get(review, "session"));
    event.role = access_role_text(ACCESS_ROLE_AUDITOR);
    event.review = json_string_value(json_object_get(review, "review"));
    event.state = verdict;
    if (audit_trail_write(opener->audit, caller->org, &event, &error))
        return true;
    g_warning("%s: no review is closed without an audit log: %s", caller->org, error->message);
    refuse(request, 503, access_reason_text(ACCESS_AUDIT_UNAVAILABLE),
           "The audit log can not be written, and nothing is closed without it.");
    return false;
}

static void
close_review(Opener *opener, HttpRequest *request, const Caller *caller, const json_t *review,
             const char *verdict)
{
    const char *id = json_string_value(json_object_get(review, "review"));
    g_autoptr(GError) error = NULL;

    if (g_strcmp0(json_string_value(json_object_get(review, "person")), caller->id) == 0) {
        refuse(request, 403, access_reason_text(ACCESS_SECOND_PERSON),
               "Nobody reviews what they opened themselves.");
        return;
    }
    if (!record(opener, request, caller, review, verdict))
        return;
    if (!review_shelf_remove(opener->review_path, caller->org, id, &error)) {
        g_warning("review %.8s: is closed, and still there: %s", id, error->message);
        refuse(request, 503, "reviews-unavailable", "The review can not be taken off the list.");
        return;
    }
    http_reply_json(
        request, 200,
        json_pack("{s:s, s:s, s:s}", "review", id, "state", "closed", "verdict", verdict));
}

static void
find_and_close(Opener *opener, HttpRequest *request, const Caller *caller)
{
    static const char *const verdicts[] = {"justified", "not-justified", NULL};
    const json_t *body = http_request_body(request);
    const char *verdict = json_string_value(json_object_get(body, "verdict"));
    json_t *review = NULL;

    if (!access_call_may(opener, request, caller, ACCESS_REVIEW))
        return;
    if (verdict == NULL || json_object_size(body) != 1 || !g_strv_contains(verdicts, verdict)) {
        http_reply_problem(request, 422,
                           "`verdict` must be `justified` or `not-justified`, and stand alone.",
                           NULL);
        return;
    }
    review = review_shelf_find(opener->review_path, caller->org, http_request_parameter(request, 0),
                               opener->source.identities);
    if (review == NULL) {
        refuse(request, 404, "review-unknown", "Nothing of this id waits for a review.");
        return;
    }
    close_review(opener, request, caller, review, verdict);
    json_decref(review);
}

void
review_api_close(HttpRequest *request, void *user_data)
{
    g_autofree char *org = http_caller_query(request, "org");

    access_call_begin(user_data, request, org, find_and_close);
}
