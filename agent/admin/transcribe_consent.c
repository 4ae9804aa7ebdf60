#include "agent/admin/transcribe_consent.h"

#include "agent/playback/session_people.h"
#include "agent/policy/consent.h"
#include "agent/rules/org_policy.h"
#include "storage/annotation_log.h"
#include "storage/annotation_view.h"
#include "storage/recording.h"

#include <gio/gio.h>
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

/* Returns: GArray of ConsentParticipant, owned, which borrow from `people`. */
static GArray *
ask_everyone(const SessionPeople *people)
{
    const GPtrArray *list = session_people_list(people);
    GArray *everyone = g_array_new(FALSE, FALSE, sizeof(ConsentParticipant));

    for (guint i = 0; i < list->len; i++) {
        const ConsentParticipant one = session_people_asked(list->pdata[i]);

        g_array_append_val(everyone, one);
    }
    return everyone;
}

/* `everyone`: who ever was in it is asked. */
static ConsentSession
session_of(const TranscribeCase *self, const GArray *everyone, const char *service)
{
    return (ConsentSession){
        .org = self->manifest->org,
        .participants = (const ConsentParticipant *) (const void *) everyone->data,
        .n_participants = everyone->len,
        .region = org_policy_region(self->org, self->place),
        .service = service,
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

/* Returns: owned; NULL sets `error`, also where not all could be read: who is left out is not
 * asked, and a refusal that is left out does not count. */
static SessionPeople *
read_people(const TranscribeCase *self, GError **error)
{
    g_autofree char *trouble = NULL;
    g_autoptr(SessionPeople) people =
        session_people_read(self->store, self->manifest, self->identities, &trouble, error);

    if (people == NULL) {
        g_prefix_error(error, "nobody knows who consented: the session's metadata: ");
        return NULL;
    }
    if (trouble == NULL && !session_people_are_whole(people))
        trouble = g_strdup("the session's metadata is malformed");
    if (trouble != NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                    "nobody knows who consented: %s", trouble);
        return NULL;
    }
    return g_steal_pointer(&people);
}

bool
transcribe_consent_check(const TranscribeCase *self, GError **error)
{
    g_autoptr(SessionPeople) people = read_people(self, error);
    g_autoptr(GArray) everyone = people != NULL ? ask_everyone(people) : NULL;
    ConsentSession session;

    if (everyone == NULL)
        return false;
    session = session_of(self, everyone, session_people_service(people));
    return decide(self, &session, error) && check_later(self, &session, error);
}
