#include "agent/recorder/session_request.h"
#include "crypto/crypto_error.h"

#include <string.h>

/* A track as a request describes it: refused with one sentence, or of a format that can be
 * recorded. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static const char person[] = "{\"id\":\"p1\",\"role\":\"provider\",\"consents\":[]}";

static Participants *
participants_of_one(void)
{
    Participants *self = participants_new();
    json_t *form = json_loads(person, 0, NULL);
    g_autofree char *fault = participants_add(self, form);

    g_assert_cmpstr(fault, ==, NULL);
    json_decref(form);
    return self;
}

static void
check_taken(const TrackRequest *track)
{
    g_assert_cmpstr(track->participant, ==, "p1");
    g_assert_cmpuint(strlen(track->id), <=, 64);
    g_assert_cmpuint(track->format.payload_type, <=, 127);
    g_assert_cmpuint(track->format.channels, >=, 1);
    g_assert_cmpstr(media_format_fault(&track->format), ==, NULL);
    g_assert_true(track->srtp == NULL || srtp_key_secret(track->srtp) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(Participants) participants = participants_of_one();
    g_autoptr(GError) error = NULL;
    g_autofree char *fault = NULL;

    g_assert_true(crypto_start(&error));
    json_t *form = json_loadb((const char *) data, n_bytes, JSON_REJECT_DUPLICATES, NULL);
    if (form == NULL)
        return 0;
    g_autoptr(TrackRequest) track = track_request_parse(form, participants, &fault);
    g_assert_true((track == NULL) == (fault != NULL));
    if (track != NULL) {
        check_taken(track);
    } else {
        g_assert_true(g_utf8_validate(fault, -1, NULL) && strchr(fault, '\n') == NULL);
    }
    json_decref(form);
    return 0;
}
