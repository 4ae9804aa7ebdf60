#include "agent/opener/session_case.h"

#include "agent/audit/pseudonym.h"
#include "agent/keys/signer_check.h"
#include "agent/opener/session_consents.h"
#include "agent/rules/org_policy.h"
#include "storage/annotation_log.h"
#include "storage/storage_error.h"

#include <string.h>

struct SessionCase {
    char *org, *session;
    ManifestPart *manifest; /* who it is and what its recorder marked, nothing else of it */
    bool is_open;
    bool has_strangers; /* somebody's media are there whom the metadata do not name */
    SessionPeople *people;
    GArray *participants; /* AccessParticipant, of `people` */
    GHashTable *kinds;    /* id of a track -> of AccessTracks */
    char *clients;        /* pseudonyms, with commas; NULL: none */
};

/* Looks at the manifest alone; each segment's digest is compared when it is read. */
static bool
check_manifest(Recording *recording, GError **error)
{
    g_autoptr(GHashTable) nothing = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) findings = recording_sample(recording, nothing);

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        if (recording_finding_is_fatal(finding)) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "%s", finding->message);
            return false;
        }
    }
    return true;
}

Recording *
session_case_recording(const SessionSource *source, const char *org, const char *session,
                       GError **error)
{
    const RecordingTrust trust = {source->recorders, source->annotators};
    g_autoptr(Recording) recording = recording_open(source->store, org, session, &trust, error);

    if (recording == NULL || !check_manifest(recording, error) ||
        !signer_check_require(source->settings, source->store, org, session, error))
        return NULL;
    return g_steal_pointer(&recording);
}

static unsigned
kind_of(const ManifestTrack *track)
{
    if (strcmp(track->kind, "audio") == 0)
        return ACCESS_TRACKS_AUDIO;
    return strcmp(track->kind, "video") == 0 ? ACCESS_TRACKS_VIDEO : ACCESS_TRACKS_TEXT;
}

static void
take_manifest(SessionCase *self, const ManifestPart *manifest)
{
    self->org = g_strdup(manifest->org);
    self->session = g_strdup(manifest->session);
    self->is_open = manifest->state == SESSION_OPEN;
    self->manifest = manifest_part_new(manifest->org, manifest->session, manifest->number);
    g_ptr_array_unref(self->manifest->marks);
    self->manifest->marks = g_ptr_array_ref(manifest->marks);
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        g_hash_table_replace(self->kinds, g_strdup(track->id), GUINT_TO_POINTER(kind_of(track)));
    }
}

static void
take_people(SessionCase *self)
{
    const GPtrArray *people = session_people_list(self->people);

    for (guint i = 0; i < people->len; i++) {
        const SessionPerson *person = people->pdata[i];
        const AccessParticipant one = {.subject = person->subject, .role = person->role};

        g_array_append_val(self->participants, one);
    }
}

/* Who was recorded and is not known can not have consented to anything. */
static void
look_for_strangers(SessionCase *self, const ManifestPart *manifest)
{
    const GPtrArray *people = session_people_list(self->people);

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];
        bool is_known = !manifest_track_is_media(track);

        for (guint j = 0; j < people->len && !is_known; j++) {
            const SessionPerson *person = people->pdata[j];

            is_known = g_strcmp0(person->id, track->participant) == 0;
        }
        self->has_strangers |= !is_known;
    }
}

/* Each client once, by whom a token would call them. */
static void
take_clients(SessionCase *self, const Secret *pseudonym_key)
{
    const GPtrArray *people = session_people_list(self->people);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; pseudonym_key != NULL && i < people->len; i++) {
        const SessionPerson *person = people->pdata[i];
        char *name = NULL;

        if (person->subject == NULL || g_strcmp0(person->role, "client") != 0)
            continue;
        name = pseudonym_of(pseudonym_key, self->org, person->subject);
        if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL)) {
            g_free(name);
        } else {
            g_ptr_array_add(names, name);
        }
    }
    if (names->len == 0)
        return;
    g_ptr_array_add(names, NULL);
    self->clients = g_strjoinv(",", (char **) names->pdata);
}

static void
case_clear(gpointer data)
{
    SessionCase *self = data;

    g_free(self->org);
    g_free(self->session);
    g_free(self->clients);
    g_clear_pointer(&self->manifest, manifest_part_free);
    session_people_free(self->people);
    g_array_unref(self->participants);
    g_hash_table_unref(self->kinds);
}

SessionCase *
session_case_new(const SessionSource *source, Recording *recording, GError **error)
{
    const ManifestPart *manifest = recording_manifest(recording);
    g_autoptr(SessionCase) self = g_atomic_rc_box_new0(SessionCase);
    g_autofree char *trouble = NULL;

    self->participants = g_array_new(FALSE, FALSE, sizeof(AccessParticipant));
    self->kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    take_manifest(self, manifest);
    self->people =
        session_people_read(source->store, manifest, source->identities, &trouble, error);
    if (self->people == NULL)
        return NULL;
    if (trouble != NULL)
        g_message("session %s: %s", self->session, trouble);
    take_people(self);
    look_for_strangers(self, manifest);
    take_clients(self, source->pseudonym_key);
    return g_steal_pointer(&self);
}

SessionCase *
session_case_ref(SessionCase *self)
{
    return g_atomic_rc_box_acquire(self);
}

/* Whether it was released to the client that `caller` is, or whose guardian. */
static bool
is_released_to(const SessionCase *self, const AnnotationView *view, const Caller *caller)
{
    const GPtrArray *people = session_people_list(self->people);

    if (view->is_released)
        return true;
    for (guint i = 0; i < people->len; i++) {
        const SessionPerson *person = people->pdata[i];

        if (caller->subject != NULL && g_strcmp0(person->subject, caller->subject) == 0 &&
            annotation_view_is_released_to(view, person->id))
            return true;
    }
    return false;
}

/* Borrows from all of them. Who was recorded and is not known has consented to nothing. */
static AccessSession
view_for(const SessionCase *self, const AnnotationView *view, const SessionQuestion *question,
         int64_t now_us)
{
    g_autoptr(SessionConsents) said = session_consents_new(self->people, view);
    const StoreSettings *place = question->source->place;
    AccessSession session = {
        .org = self->org,
        .participants = (const AccessParticipant *) self->participants->data,
        .n_participants = self->participants->len,
        .part2 = part2_label(view->label),
        .is_open = self->is_open,
        .is_released = is_released_to(self, view, question->caller),
        .is_quarantined = view->quarantine != NULL || view->erase_mark != NULL,
        .is_minor_alone = session_people_have_minor_alone(self->people),
        .is_restricted = view->restriction != NULL,
        .is_erased = view->is_erasing || view->is_erased,
        .n_holds = view->matters->len,
        .erase_requested_by = view->requested_by,
    };

    if (self->has_strangers)
        return session;
    session.consents = session_consents_given(said, question->org, place, now_us);
    if (session.part2 != PART2_NONE) {
        session.part2_consents =
            session_consents_part2(said, question->org, place, question->recipient, now_us);
    }
    return session;
}

/* What goes with each copy of what has a label; NULL: it has none. */
static json_t *
describe_part2(const SessionCase *self, const AnnotationView *view, const SessionQuestion *question)
{
    g_autoptr(SessionConsents) said = session_consents_new(self->people, view);
    const Part2Label label = part2_label(view->label);
    const unsigned needs =
        part2_needs(label, question->request.purpose, question->recipient != NULL);

    if (label == PART2_NONE)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:o}", "label", part2_label_text(label), "notice",
                     part2_notice(), "short_notice", part2_short_notice(), "consents",
                     session_consents_bound(said, needs, question->recipient));
}

static unsigned
kinds_of(const SessionCase *self, char **tracks)
{
    unsigned kinds = 0;

    for (char **id = tracks; id != NULL && *id != NULL; id++)
        kinds |= GPOINTER_TO_UINT(g_hash_table_lookup(self->kinds, *id));
    return kinds;
}

bool
session_case_decide(const SessionCase *self, const SessionQuestion *question,
                    AccessDecision *decision, GError **error)
{
    const int64_t now_us = g_get_real_time();
    const SessionSource *source = question->source;
    const AccessPerson person = caller_person(question->caller);
    g_autoptr(AnnotationLog) notes =
        recording_read_marked(source->store, self->manifest, source->annotators, error);
    AccessRequest request = question->request;
    AccessSession session = {0};

    if (notes == NULL)
        return false;
    if (question->n_amendments != NULL)
        *question->n_amendments = notes->view->n_amendments;
    if (question->part2 != NULL)
        *question->part2 = describe_part2(self, notes->view, question);
    if (question->org == NULL) {
        *decision = (AccessDecision){.reason = ACCESS_POLICY_MISSING};
        return true;
    }
    request.tracks = kinds_of(self, question->tracks);
    request.is_outside = question->recipient != NULL;
    session = view_for(self, notes->view, question, now_us);
    *decision = org_policy_access_decide(question->org, &person, &session, &request, now_us);
    return true;
}

bool
session_case_has_tracks(const SessionCase *self, char **tracks)
{
    for (char **id = tracks; id != NULL && *id != NULL; id++) {
        if (!g_hash_table_contains(self->kinds, *id))
            return false;
    }
    return true;
}

const SessionPeople *
session_case_people(const SessionCase *self)
{
    return self->people;
}

void
session_case_unref(SessionCase *self)
{
    if (self != NULL)
        g_atomic_rc_box_release_full(self, case_clear);
}

const char *
session_case_clients(const SessionCase *self)
{
    return self->clients;
}
