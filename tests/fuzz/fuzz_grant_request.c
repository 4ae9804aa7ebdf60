#include "agent/opener/grant_request.h"
#include "crypto/age_context.h"

#include <stdint.h>
#include <string.h>

/* The body of a request for a grant, and what a query says of tracks and times. What is taken is
 * sound; what is refused has one sentence that is no more than text. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void
check_taken(const GrantRequest *request)
{
    g_autoptr(GrantRequest) copy = grant_request_copy(request);

    g_assert_true(age_context_id_is_valid(request->session));
    g_assert_true(request->org == NULL || age_context_id_is_valid(request->org));
    g_assert_true(request->recipient == NULL || age_context_id_is_valid(request->recipient));
    g_assert_true(request->purpose[0] != '\0' && strlen(request->purpose) <= 32);
    g_assert_cmpuint(request->role & (request->role - 1), ==, 0); /* one, or none */
    g_assert_true(request->from_us >= 0 && request->from_us < request->until_us);
    g_assert_true(request->reason == NULL || request->reason[0] != '\0');
    for (char **id = request->tracks; id != NULL && *id != NULL; id++)
        g_assert_true(age_context_id_is_valid(*id));
    g_assert_cmpstr(copy->session, ==, request->session);
    g_assert_cmpstr(copy->reason, ==, request->reason);
}

static void
check_query(const char *text)
{
    g_auto(GStrv) tracks = grant_request_split_tracks(text);
    int64_t time_us = 0;

    g_assert_true(tracks == NULL || (tracks[0] != NULL && age_context_id_is_valid(tracks[0])));
    if (grant_request_read_time(text, &time_us))
        g_assert_cmpint(time_us, >=, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    g_autofree char *fault = NULL;
    json_t *body = json_loadb(text, strlen(text), JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    g_autoptr(GrantRequest) request = grant_request_parse(body, &fault);

    g_assert_true((request == NULL) == (fault != NULL));
    if (request != NULL)
        check_taken(request);
    if (fault != NULL)
        g_assert_true(g_utf8_validate(fault, -1, NULL) && strchr(fault, '\n') == NULL);
    check_query(text);
    json_decref(body);
    return 0;
}
