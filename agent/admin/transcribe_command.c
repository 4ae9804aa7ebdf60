/* The order of a transcription:
 *  1. The manifest is verified. The opener decides, writes its record, and opens, for one
 *     participant at a time: a recogniser may take longer than a grant lives. With --identity the
 *     record is written here, consents are looked at here, and all is opened here.
 *  2. A participant's sound is decoded and goes through a pipe to the worker; what it answers stays
 *     in memory.
 *  3. All of it, by time, becomes one WebVTT, which the recorder seals into the session. */
#include "agent/admin/access_client.h"
#include "agent/admin/commands.h"
#include "agent/admin/transcribe_offline.h"
#include "agent/admin/transcribe_seal.h"
#include "agent/admin/transcribe_voices.h"
#include "agent/keys/signer_check.h"
#include "agent/media/media_format.h"
#include "config/transcription_settings.h"
#include "storage/storage_error.h"

#include <string.h>

/* What was written on the command line. */
typedef struct {
    char **identity_paths; /* NULL: through the opener */
    char *token_path;
    char *org;
} TranscribeOptions;

typedef struct {
    CommandContext *context;
    const TranscribeOptions *options;
    const char *session;
    Recording *recording;
    const ManifestPart *manifest;
    const OrgSettings *org;
    TranscribeVoices voices;
} Transcription;

/* Step 1. What lies in the objects is checked when it is read. */
static bool
verify(const Transcription *self, GError **error)
{
    g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) findings = recording_sample(self->recording, none);

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        if (g_str_has_prefix(finding->code, "manifest-") || recording_finding_is_fatal(finding)) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "%s; only a session that has ended, and whose manifest is genuine and "
                        "whole, is transcribed",
                        finding->message);
            return false;
        }
    }
    return signer_check_require(command_context_settings(self->context, NULL),
                                command_context_store(self->context, NULL), self->manifest->org,
                                self->session, error);
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

/* Returns: the ids of this participant's tracks, owned. */
static char **
tracks_of(const GArray *tracks, const char *participant)
{
    GPtrArray *ids = g_ptr_array_new();

    for (guint i = 0; i < tracks->len; i++) {
        const LayoutTrack *track = &g_array_index(tracks, LayoutTrack, i);

        if (strcmp(track->participant, participant) == 0)
            g_ptr_array_add(ids, g_strdup(track->id));
    }
    g_ptr_array_add(ids, NULL);
    return (char **) g_ptr_array_free(ids, FALSE);
}

/* `tracks`: borrowed; NULL: all the sound there is. */
static AccessClient *
ask_opener(const Transcription *self, char **tracks, const Secret *token, GError **error)
{
    const AccessClientOptions wanted = {
        .session = self->session,
        .purpose = "HOPERAT",
        .role = "transcriber",
        .org = self->options->org,
        .tracks = tracks,
        .until_us = INT64_MAX,
        .token = token,
    };

    return access_client_open(self->context, &wanted, error);
}

static bool
hear_one(Transcription *self, const AccessClient *all, const char *participant, const Secret *token,
         GError **error)
{
    g_auto(GStrv) tracks = tracks_of(access_client_tracks(all), participant);
    g_autoptr(AccessClient) client = ask_opener(self, tracks, token, error);
    TranscribeSound sound = {0};

    if (client == NULL)
        return false;
    sound = (TranscribeSound){access_client_tracks(client), access_client_inputs(client),
                              access_client_end_us(all)};
    return transcribe_voices_hear(&self->voices, &sound, participant, error);
}

static bool
hear_through_opener(Transcription *self, GError **error)
{
    g_autoptr(Secret) token = NULL;
    g_autoptr(AccessClient) all = NULL; /* says who there is; its own sound is never asked for */
    g_autoptr(GPtrArray) names = NULL;

    if (self->options->token_path != NULL) {
        token = access_client_read_token(self->options->token_path, error);
        if (token == NULL)
            return false;
    }
    all = ask_opener(self, NULL, token, error);
    if (all == NULL)
        return false;
    names = transcribe_voices_list(access_client_tracks(all));
    for (guint i = 0; i < names->len; i++) {
        if (!hear_one(self, all, names->pdata[i], token, error))
            return false;
    }
    return true;
}

/* Step 2. */
static bool
hear(Transcription *self, GError **error)
{
    const TranscribeOffline offline = {self->context, self->recording, self->org,
                                       self->options->identity_paths};

    transcribe_voices_init(&self->voices, self->org->transcription);
    if (!(self->options->identity_paths != NULL
              ? transcribe_offline_hear(&offline, &self->voices, error)
              : hear_through_opener(self, error)))
        return false;
    if (self->voices.n_voices > 0)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                "no sound was recorded of session %s", self->session);
    return false;
}

/* Step 3. */
static json_t *
seal(Transcription *self, GError **error)
{
    g_autofree char *text = transcribe_voices_write(&self->voices);
    json_t *answer = transcribe_seal(self->context, command_context_store(self->context, error),
                                     self->manifest, text, error);

    explicit_bzero(text, strlen(text));
    return answer;
}

static json_t *
transcribe(Transcription *self, GError **error)
{
    self->recording = command_context_open_recording(self->context, self->session, error);
    if (self->recording == NULL)
        return NULL;
    self->manifest = recording_manifest(self->recording);
    if (!verify(self, error) || !find_org(self, error) || !hear(self, error))
        return NULL;
    return seal(self, error);
}

/* Takes `answer`. */
static void
print_result(const Transcription *self, json_t *answer)
{
    const unsigned n_cues = self->voices.cues->len;

    if (command_context_as_json(self->context)) {
        json_object_set_new(answer, "cues", json_integer(n_cues));
        command_context_print_json(answer);
        return;
    }
    g_print("%u cues of %u participants are sealed into the session as %s%s.\n", n_cues,
            self->voices.n_voices, json_string_value(json_object_get(answer, "track")),
            g_strcmp0(json_string_value(json_object_get(answer, "state")), "stored") == 0
                ? ""
                : ", and wait in the recorder's spool for the store");
    json_decref(answer);
}

static int
run(Transcription *self)
{
    g_autoptr(GError) error = NULL;
    json_t *answer = NULL;

    if (media_start(&error) && media_start_layouts(&error))
        answer = transcribe(self, &error);
    if (answer != NULL)
        print_result(self, answer);
    transcribe_voices_clear(&self->voices);
    g_clear_pointer(&self->recording, recording_free);
    return answer != NULL ? EXIT_CODE_OK
                          : command_context_fail(self->context, g_steal_pointer(&error));
}

static void
transcribe_options_clear(TranscribeOptions *self)
{
    g_strfreev(self->identity_paths);
    g_free(self->token_path);
    g_free(self->org);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TranscribeOptions, transcribe_options_clear)

int
transcribe_command_run(CommandContext *context, int argc, char **argv)
{
    g_auto(TranscribeOptions) options = {0};
    const GOptionEntry entries[] = {
        {"token-file", 0,   0, G_OPTION_ARG_FILENAME,       &options.token_path,
         "Access token; - for standard input (default: you, as a local operator)",                                               "FILE"},
        {"org",        0,   0, G_OPTION_ARG_STRING,         &options.org,            "Organisation, for an operator of several",
         "ID"                                                                                                                          },
        {"identity",   'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.identity_paths,
         "Without the opener: age identity file of a recipient; may be given again",                                             "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "transcribe",
        "SESSION [--token-file FILE | --identity FILE]",
        "Has the organisation's worker write down what was said, where everyone consented to\n"
        "`transcribe`, and the recorder seal it into the session. The opener opens it, for a "
        "transcriber.\nNothing of it lies on a disk in the clear.",
        entries,
        1,
        1,
    };
    Transcription self = {.context = context, .options = &options};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (options.identity_paths != NULL && (options.token_path != NULL || options.org != NULL)) {
        g_printerr("sealtape transcribe: --identity opens without the opener: it goes with neither "
                   "--token-file nor --org\n");
        return EXIT_CODE_USAGE;
    }
    self.session = argv[1];
    return run(&self);
}
