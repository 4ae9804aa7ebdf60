#include "agent/admin/transcribe_consent.h"

#include "agent/policy/consent.h"
#include "agent/rules/org_policy.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "storage/annotation_log.h"
#include "storage/annotation_view.h"
#include "storage/recording.h"

#include <gio/gio.h>
#include <jansson.h>
#include <string.h>

#define PURPOSE "transcribe"

static bool
deny(GError **error, const char *reason, const char *participant)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                "the session may not be transcribed: %s%s%s%s", reason,
                participant != NULL ? " (participant " : "", participant != NULL ? participant : "",
                participant != NULL ? ")" : "");
    return false;
}

static int64_t
time_of(const json_t *form, const char *name)
{
    const char *text = json_string_value(json_object_get(form, name));
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    return time == NULL
               ? 0
               : g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
}

static const char *
text_of(const json_t *form, const char *name)
{
    return json_string_value(json_object_get(form, name));
}

static bool
is_age(const json_t *age)
{
    return json_is_integer(age) && json_integer_value(age) >= 0 &&
           json_integer_value(age) <= UINT8_MAX;
}

static void
clear_person(void *data)
{
    g_free((ConsentRecord *) ((ConsentParticipant *) data)->consents);
}

/* Returns: GArray of ConsentParticipant, whose texts belong to `meta`. */
static GArray *
read_people(const json_t *meta)
{
    GArray *people = g_array_new(FALSE, FALSE, sizeof(ConsentParticipant));
    const json_t *list = json_object_get(meta, "participants");

    g_array_set_clear_func(people, clear_person);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *form = json_array_get(list, i);
        const json_t *consents = json_object_get(form, "consents");
        const json_t *age = json_object_get(form, "age");
        const size_t n_consents = json_array_size(consents);
        ConsentRecord *records = g_new0(ConsentRecord, n_consents + 1);
        const ConsentParticipant person = {.id = text_of(form, "id"),
                                           .role = text_of(form, "role"),
                                           .consents = records,
                                           .n_consents = n_consents,
                                           .is_minor = json_is_true(json_object_get(form, "minor")),
                                           .has_age = is_age(age),
                                           .age =
                                               is_age(age) ? (unsigned) json_integer_value(age) : 0,
                                           .jurisdiction = text_of(form, "jurisdiction")};

        for (size_t j = 0; j < n_consents; j++) {
            const json_t *row = json_array_get(consents, j);

            records[j] =
                (ConsentRecord){.purpose = text_of(row, "purpose"),
                                .state = text_of(row, "state"),
                                .text_version = text_of(row, "text_version"),
                                .evidence = text_of(row, "evidence"),
                                .at_us = time_of(row, "at"),
                                .until_us = time_of(row, "until"),
                                .is_guardians = g_strcmp0(text_of(row, "by"), "guardian") == 0,
                                .recipient = text_of(row, "recipient")};
        }
        g_array_append_val(people, person);
    }
    return people;
}

/* `people`: as read_people(); everyone who ever was in it is asked. */
static ConsentSession
session_of(const TranscribeCase *self, const GArray *people, const json_t *meta)
{
    return (ConsentSession){
        .org = self->manifest->org,
        .participants = (const ConsentParticipant *) (const void *) people->data,
        .n_participants = people->len,
        .region = org_policy_region(self->org, self->place),
        .service = text_of(meta, "service"),
    };
}

static bool
is_among(const ConsentSession *session, const char *id)
{
    for (size_t i = 0; i < session->n_participants; i++) {
        if (g_strcmp0(session->participants[i].id, id) == 0)
            return true;
    }
    return false;
}

/* Whose voice is in the recording must be among those who were asked. */
static bool
check_voices(const TranscribeCase *self, const ConsentSession *session, GError **error)
{
    for (guint i = 0; i < self->manifest->tracks->len; i++) {
        const ManifestTrack *track = self->manifest->tracks->pdata[i];

        if (manifest_track_is_media(track) && !is_among(session, track->participant)) {
            return deny(error, consent_reason_text(CONSENT_PARTICIPANT_UNKNOWN),
                        track->participant);
        }
    }
    return true;
}

static bool
decide(const TranscribeCase *self, const ConsentSession *session, GError **error)
{
    const ConsentDecision decision =
        org_policy_consent_decide(self->org, session, PURPOSE, g_get_real_time());
    if (decision.reason != CONSENT_OK)
        return deny(error, consent_reason_text(decision.reason), decision.participant);
    return check_voices(self, session, error);
}

static bool
was_taken_back(const AnnotationView *view, const char *participant, const char *purpose)
{
    const char *said = annotation_view_consent(view, participant, purpose);

    return said != NULL && strcmp(said, "granted") != 0;
}

/* Counselling notes (42 CFR part 2) need a consent of the client's own for it. */
static bool
check_label(const TranscribeCase *self, const ConsentSession *session, const AnnotationView *view,
            GError **error)
{
    const unsigned needs = part2_needs(part2_label(view->label), "HOPERAT", false);
    unsigned given = org_policy_part2_consents(self->org, session, NULL, g_get_real_time());

    for (size_t i = 0; i < session->n_participants; i++) {
        const char *id = session->participants[i].id;

        for (size_t j = 0; j < PART2_N_CONSENTS; j++) {
            if (was_taken_back(view, id, part2_purpose(j)))
                given &= ~(1U << j);
        }
    }
    return (needs & ~given) == 0 ||
           deny(error, access_reason_text(ACCESS_PART2_CONSENT_MISSING), NULL);
}

static bool
check_later(const TranscribeCase *self, const ConsentSession *session, GError **error)
{
    g_autoptr(AnnotationLog) log =
        recording_read_marked(self->store, self->manifest, self->verifiers, error);
    const AnnotationView *view = log != NULL ? log->view : NULL;

    if (log == NULL)
        return false;
    if (view->quarantine != NULL || view->erase_mark != NULL)
        return deny(error, "it is quarantined", NULL);
    if (view->restriction != NULL)
        return deny(error, "its use is restricted", NULL);
    if (view->is_erasing || view->is_erased)
        return deny(error, "it is being erased", NULL);
    for (size_t i = 0; i < session->n_participants; i++) {
        const char *id = session->participants[i].id;

        if (was_taken_back(view, id, PURPOSE))
            return deny(error, consent_reason_text(CONSENT_WITHDRAWN), id);
    }
    return check_label(self, session, view, error);
}

static GByteArray *
open_meta(const TranscribeCase *self, GError **error)
{
    const ManifestPart *manifest = self->manifest;
    g_autofree char *name = g_strdup_printf("%s/%s/meta.age", manifest->org, manifest->session);
    g_autoptr(GBytes) sealed = object_store_get(self->store, name, error);
    g_autoptr(AgeContext) context = NULL;

    if (sealed == NULL)
        return NULL;
    context = age_context_new_meta(manifest->org, manifest->session);
    return age_file_open(self->identities, context, g_bytes_get_data(sealed, NULL),
                         g_bytes_get_size(sealed), error);
}

bool
transcribe_consent_check(const TranscribeCase *self, GError **error)
{
    GByteArray *plain = open_meta(self, error);
    json_t *meta = NULL;
    g_autoptr(GArray) people = NULL;
    ConsentSession session;
    bool is_allowed = false;

    if (plain == NULL) {
        g_prefix_error(error, "nobody knows who consented: the session's metadata: ");
        return false;
    }
    meta = json_loadb((const char *) plain->data, plain->len, JSON_REJECT_DUPLICATES, NULL);
    people = read_people(meta);
    session = session_of(self, people, meta);
    is_allowed = decide(self, &session, error) && check_later(self, &session, error);
    json_decref(meta);
    age_file_wipe(plain);
    return is_allowed;
}
