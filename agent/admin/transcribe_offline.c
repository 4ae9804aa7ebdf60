#include "agent/admin/transcribe_offline.h"

#include "agent/admin/passphrase.h"
#include "agent/admin/transcribe_consent.h"
#include "agent/playback/identity_files.h"
#include "agent/playback/layout_plan.h"
#include "agent/playback/opened_tracks.h"
#include "agent/playback/session_people.h"
#include "agent/store/trusted_recorders.h"

#include <string.h>

static Secret *
ask_passphrase(const char *path, void *user_data, GError **error)
{
    g_autofree char *prompt = g_strdup_printf("Enter passphrase for identity file %s", path);

    return passphrase_ask(prompt, error);
}

static bool
on_wants_track(const char *id, void *user_data)
{
    const ManifestPart *manifest = user_data;

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (strcmp(track->id, id) == 0)
            return strcmp(track->kind, "audio") == 0;
    }
    return false;
}

/* Nobody decides about who holds an identity; so at least it is known, before anything is open. */
static bool
tell(const TranscribeOffline *self, const ManifestPart *manifest, GError **error)
{
    const AuditEvent event = {.kind = AUDIT_RECOVERED,
                              .session = manifest->session,
                              .use = "HOPERAT",
                              .detail = "transcribe"};

    return command_context_audit(self->context, manifest->org, &event, error);
}

static bool
check_consent(const TranscribeOffline *self, const ManifestPart *manifest, GPtrArray *identities,
              GError **error)
{
    const Settings *settings = command_context_settings(self->context, error);
    g_autoptr(GPtrArray) verifiers = settings != NULL ? trusted_annotators(settings, error) : NULL;
    const TranscribeCase question = {.store = command_context_store(self->context, error),
                                     .manifest = manifest,
                                     .org = self->org,
                                     .place = settings != NULL ? &settings->store : NULL,
                                     .identities = identities,
                                     .verifiers = verifiers};

    return verifiers != NULL && transcribe_consent_check(&question, error);
}

static bool
hear_all(const OpenedTracks *opened, const LayoutPlan *plan, TranscribeVoices *voices,
         GError **error)
{
    const TranscribeSound sound = {layout_plan_tracks(plan), opened_tracks_inputs(opened),
                                   layout_plan_end_us(plan)};
    g_autoptr(GPtrArray) names = transcribe_voices_list(sound.tracks);

    for (guint i = 0; i < names->len; i++) {
        if (!transcribe_voices_hear(voices, &sound, names->pdata[i], error))
            return false;
    }
    return true;
}

static bool
open_and_hear(const TranscribeOffline *self, const ManifestPart *manifest, GPtrArray *identities,
              TranscribeVoices *voices, GError **error)
{
    ObjectStore *store = command_context_store(self->context, error);
    const OpenedTracksOptions options = {on_wants_track, (void *) manifest, 0, INT64_MAX, false};
    g_autoptr(TrackKeys) keys = track_keys_open(store, manifest, identities, error);
    g_autoptr(OpenedTracks) opened =
        keys != NULL ? opened_tracks_new(self->recording, keys, &options, error) : NULL;
    g_autofree char *trouble = NULL;
    g_autoptr(SessionPeople) people = NULL;
    g_autoptr(GHashTable) roles = NULL;
    g_autoptr(LayoutPlan) plan = NULL;

    if (opened == NULL)
        return false;
    people = session_people_read(store, manifest, identities, &trouble, error);
    if (people == NULL)
        return false;
    roles = session_people_roles(people);
    plan = layout_plan_new(manifest, roles, on_wants_track, (void *) manifest);
    return hear_all(opened, plan, voices, error);
}

bool
transcribe_offline_hear(const TranscribeOffline *self, TranscribeVoices *voices, GError **error)
{
    const ManifestPart *manifest = recording_manifest(self->recording);
    g_autoptr(GPtrArray) identities = identity_files_read(
        (const char *const *) self->identity_paths, ask_passphrase, NULL, error);

    return identities != NULL && tell(self, manifest, error) &&
           check_consent(self, manifest, identities, error) &&
           open_and_hear(self, manifest, identities, voices, error);
}
