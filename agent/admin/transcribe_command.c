/* The order of a transcription:
 *  1. The manifest is verified, and everyone's consent looked for. Without either nothing is
 * opened.
 *  2. Participant by participant, their sound is decoded and goes through a pipe to the worker;
 *     what it answers stays in memory.
 *  3. All of it, by time, becomes one WebVTT, which the recorder seals into the session. */
#include "agent/admin/commands.h"
#include "agent/admin/passphrase.h"
#include "agent/admin/transcribe_consent.h"
#include "agent/admin/transcribe_seal.h"
#include "agent/admin/transcribe_worker.h"
#include "agent/media/media_format.h"
#include "agent/media/web_vtt.h"
#include "agent/playback/identity_files.h"
#include "agent/playback/layout_plan.h"
#include "agent/playback/opened_tracks.h"
#include "agent/playback/session_people.h"
#include "agent/store/trusted_recorders.h"
#include "config/transcription_settings.h"
#include "storage/storage_error.h"

#include <string.h>

typedef struct {
    CommandContext *context;
    const char *session;
    ObjectStore *store;
    Recording *recording;
    const ManifestPart *manifest;
    const OrgSettings *org;
    GPtrArray *identities;
    GPtrArray *cues;   /* WebVttCue */
    unsigned n_voices; /* participants who were listened to */
} Transcription;

static void
free_cue(void *data)
{
    web_vtt_cue_free(data);
}

/* Step 1. What lies in the objects is checked when it is read. */
static bool
verify(const Transcription *self, GError **error)
{
    g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) findings = recording_sample(self->recording, none);

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        if (g_str_has_prefix(finding->code, "manifest-")) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "%s; only a session that has ended, and whose manifest is genuine and "
                        "whole, is transcribed",
                        finding->message);
            return false;
        }
    }
    return true;
}

static bool
find_org(Transcription *self, GError **error)
{
    const Settings *settings = command_context_settings(self->context, error);

    if (settings == NULL)
        return false;
    self->org = settings_org(settings, self->manifest->org);
    if (self->org != NULL && self->org->transcription != NULL)
        return true;
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                "organisation %s has no group `transcription` in its settings: nothing says which "
                "worker to use",
                self->manifest->org);
    return false;
}

static bool
may_transcribe(const Transcription *self, GError **error)
{
    const Settings *settings = command_context_settings(self->context, error);
    g_autoptr(GPtrArray) verifiers = settings != NULL ? trusted_recorders(settings, error) : NULL;
    const TranscribeCase question = {self->store,      self->manifest,
                                     self->org,        settings != NULL ? &settings->store : NULL,
                                     self->identities, verifiers};

    return verifiers != NULL && transcribe_consent_check(&question, error);
}

static bool
is_sound(const ManifestPart *manifest, const char *id)
{
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (strcmp(track->id, id) == 0)
            return strcmp(track->kind, "audio") == 0;
    }
    return false;
}

static bool
on_wants_track(const char *track, void *user_data)
{
    return is_sound(user_data, track);
}

/* Returns: GArray of ExporterInput, of this participant's tracks alone; owned. */
static GArray *
inputs_of(const GArray *inputs, const GArray *tracks, const char *participant)
{
    GArray *own = g_array_new(FALSE, FALSE, sizeof(ExporterInput));

    for (guint i = 0; i < inputs->len; i++) {
        const ExporterInput input = g_array_index(inputs, ExporterInput, i);

        for (guint j = 0; j < tracks->len; j++) {
            const LayoutTrack *track = &g_array_index(tracks, LayoutTrack, j);

            if (strcmp(track->id, input.title) == 0 && strcmp(track->participant, participant) == 0)
                g_array_append_val(own, input);
        }
    }
    return own;
}

/* Step 2, of the participant of `tracks`' row `first`. */
static bool
listen(Transcription *self, const GArray *inputs, const LayoutPlan *plan, guint first,
       GError **error)
{
    const GArray *tracks = layout_plan_tracks(plan);
    const LayoutTrack *track = &g_array_index(tracks, LayoutTrack, first);
    g_autoptr(GArray) own = inputs_of(inputs, tracks, track->participant);
    g_autofree char *voice = g_strdup_printf("%s %s", track->caption, track->participant);
    TranscribeWork work = {self->org->transcription, own,  layout_plan_end_us(plan), track->from_us,
                           track->until_us,          voice};

    if (own->len == 0)
        return true; /* nothing was recorded of them */
    for (guint i = first; i < tracks->len; i++) {
        const LayoutTrack *other = &g_array_index(tracks, LayoutTrack, i);

        if (strcmp(other->participant, track->participant) == 0)
            work.gone_us = MAX(work.gone_us, other->until_us);
    }
    self->n_voices++;
    if (transcribe_worker_run(&work, self->cues, error))
        return true;
    g_prefix_error(error, "participant %s: ", track->participant);
    return false;
}

static bool
is_first_of_theirs(const GArray *tracks, guint n)
{
    for (guint i = 0; i < n; i++) {
        if (strcmp(g_array_index(tracks, LayoutTrack, i).participant,
                   g_array_index(tracks, LayoutTrack, n).participant) == 0)
            return false;
    }
    return true;
}

static bool
listen_to_all(Transcription *self, const GArray *inputs, GHashTable *roles, GError **error)
{
    g_autoptr(LayoutPlan) plan =
        layout_plan_new(self->manifest, roles, on_wants_track, (void *) self->manifest);
    const GArray *tracks = layout_plan_tracks(plan);

    for (guint i = 0; i < tracks->len; i++) {
        if (is_first_of_theirs(tracks, i) && !listen(self, inputs, plan, i, error))
            return false;
    }
    if (self->n_voices > 0)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                "no sound was recorded of session %s", self->session);
    return false;
}

static bool
open_and_listen(Transcription *self, GError **error)
{
    const OpenedTracksOptions options = {on_wants_track, (void *) self->manifest, 0, INT64_MAX,
                                         false};
    g_autoptr(TrackKeys) keys =
        track_keys_open(self->store, self->manifest, self->identities, error);
    g_autoptr(OpenedTracks) opened =
        keys != NULL ? opened_tracks_new(self->recording, keys, &options, error) : NULL;
    g_autofree char *trouble = NULL;
    g_autoptr(SessionPeople) people = NULL;
    g_autoptr(GHashTable) roles = NULL;

    if (opened == NULL)
        return false;
    people = session_people_read(self->store, self->manifest, self->identities, &trouble, error);
    if (people == NULL)
        return false;
    roles = session_people_roles(people);
    return listen_to_all(self, opened_tracks_inputs(opened), roles, error);
}

static int
compare_cues(gconstpointer a, gconstpointer b)
{
    const WebVttCue *x = *(const WebVttCue *const *) a;
    const WebVttCue *y = *(const WebVttCue *const *) b;

    return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

/* Step 3. */
static json_t *
seal(Transcription *self, GError **error)
{
    g_autofree char *text = NULL;
    json_t *answer = NULL;

    g_ptr_array_sort(self->cues, compare_cues);
    text = web_vtt_write(self->cues);
    answer = transcribe_seal(self->context, self->store, self->manifest, text, error);
    explicit_bzero(text, strlen(text));
    return answer;
}

static json_t *
transcribe(Transcription *self, GError **error)
{
    self->store = command_context_store(self->context, error);
    self->recording = command_context_open_recording(self->context, self->session, error);
    if (self->store == NULL || self->recording == NULL)
        return NULL;
    self->manifest = recording_manifest(self->recording);
    if (!verify(self, error) || !find_org(self, error) || !may_transcribe(self, error) ||
        !open_and_listen(self, error))
        return NULL;
    return seal(self, error);
}

/* Takes `answer`. */
static void
print_result(const Transcription *self, json_t *answer)
{
    if (command_context_as_json(self->context)) {
        json_object_set_new(answer, "cues", json_integer(self->cues->len));
        command_context_print_json(answer);
        return;
    }
    g_print("%u cues of %u participants are sealed into the session as %s%s.\n", self->cues->len,
            self->n_voices, json_string_value(json_object_get(answer, "track")),
            g_strcmp0(json_string_value(json_object_get(answer, "state")), "stored") == 0
                ? ""
                : ", and wait in the recorder's spool for the store");
    json_decref(answer);
}

static Secret *
ask_passphrase(const char *path, void *user_data, GError **error)
{
    g_autofree char *prompt = g_strdup_printf("Enter passphrase for identity file %s", path);

    return passphrase_ask(prompt, error);
}

static int
run(Transcription *self, char **identity_paths)
{
    g_autoptr(GError) error = NULL;
    json_t *answer = NULL;

    if (!media_start(&error) || !media_start_layouts(&error))
        return command_context_fail(self->context, g_steal_pointer(&error));
    self->identities =
        identity_files_read((const char *const *) identity_paths, ask_passphrase, NULL, &error);
    if (self->identities != NULL)
        answer = transcribe(self, &error);
    if (answer != NULL)
        print_result(self, answer);
    g_clear_pointer(&self->identities, g_ptr_array_unref);
    g_clear_pointer(&self->recording, recording_free);
    return answer != NULL ? EXIT_CODE_OK
                          : command_context_fail(self->context, g_steal_pointer(&error));
}

int
transcribe_command_run(CommandContext *context, int argc, char **argv)
{
    g_auto(GStrv) identity_paths = NULL;
    const GOptionEntry entries[] = {
        {"identity", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &identity_paths,
         "age identity file of a recipient; may be given again", "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "transcribe",
        "SESSION --identity FILE",
        "Has the organisation's worker write down what was said, where everyone consented to\n"
        "`transcribe`, and the recorder seal it into the session. Nothing of it lies on a disk in "
        "the clear.",
        entries,
        1,
        1,
    };
    Transcription self = {.context = context};
    int code = EXIT_CODE_USAGE;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (identity_paths == NULL) {
        g_printerr("sealtape transcribe: --identity FILE is missing\n"
                   "Try `sealtape transcribe --help`.\n");
        return EXIT_CODE_USAGE;
    }
    self.session = argv[1];
    self.cues = g_ptr_array_new_with_free_func(free_cue);
    code = run(&self, identity_paths);
    g_ptr_array_unref(self.cues);
    return code;
}
