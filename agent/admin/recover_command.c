#include "agent/admin/amendment_file.h"
#include "agent/admin/commands.h"
#include "agent/admin/output_file.h"
#include "agent/admin/part2_file.h"
#include "agent/admin/passphrase.h"
#include "agent/admin/recover_options.h"
#include "agent/admin/recover_transcript.h"
#include "agent/admin/terminal.h"
#include "agent/keys/signer_check.h"
#include "agent/media/media_format.h"
#include "agent/playback/identity_files.h"
#include "agent/playback/layout_plan.h"
#include "agent/playback/opened_tracks.h"
#include "agent/playback/session_people.h"
#include "agent/playback/statements.h"
#include "agent/playback/track_keys.h"
#include "agent/policy/part2.h"
#include "crypto/age_file.h"
#include "storage/storage_error.h"

#include <string.h>

/* The order of a recovery:
 *  1. The manifest and everything it lists are verified. What makes the manifest itself doubtful
 * ends here.
 *  2. The audit log of this host is told: nobody decides about who holds an identity.
 *  3. The envelopes are opened with the given identities; their keys must be those that the
 * manifest names.
 *  4. The output is created, 0600, under a temporary name.
 *  5. Segments are opened one by one, each in its place, and go to the exporter.
 *  6. Only a whole output gets its name. What is missing was said; then the exit code is
 * EXIT_CODE_FINDINGS. */

typedef struct {
    CommandContext *context;
    const RecoverOptions *options;
    Recording *recording;
    GPtrArray *identities; /* borrowed */
    int64_t length_us;     /* of what is exported */
    const char *notice;    /* what the output says of itself; NULL: nothing */
    unsigned n_findings;
} Recovery;

static void
on_verify_progress(uint64_t done, uint64_t total, void *user_data)
{
    if (total > 0)
        terminal_progress("verifying", (double) done / (double) total);
}

static void
on_export_progress(int64_t done_us, void *user_data)
{
    const Recovery *self = user_data;

    if (self->length_us > 0) {
        terminal_progress("recovering",
                          (double) (done_us - self->options->from_us) / (double) self->length_us);
    }
}

static bool
verify(Recovery *self, GError **error)
{
    const ManifestPart *manifest = recording_manifest(self->recording);
    g_autoptr(GPtrArray) findings = recording_verify(self->recording, on_verify_progress, NULL);

    terminal_progress_end();
    self->n_findings += findings->len;
    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        if (recording_finding_is_fatal(finding)) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "%s; nothing is recovered from a manifest that is not genuine and whole",
                        finding->message);
            return false;
        }
        g_printerr("sealtape: warning: %s\n", finding->message);
    }
    return signer_check_require(command_context_settings(self->context, NULL),
                                command_context_store(self->context, NULL), manifest->org,
                                manifest->session, error);
}

static bool
check_tracks(const Recovery *self, GError **error)
{
    const ManifestPart *manifest = recording_manifest(self->recording);
    g_autoptr(GString) known = g_string_new(NULL);

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", track->id);
    }
    for (char **wanted = self->options->tracks; wanted != NULL && *wanted != NULL; wanted++) {
        g_auto(GStrv) tracks = g_strsplit(known->str, ", ", -1);

        if (g_strv_contains((const char *const *) tracks, *wanted))
            continue;
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                    "the session has no track %s; it has %s", *wanted, known->str);
        return false;
    }
    return true;
}

static bool
on_wants_track(const char *track, void *user_data)
{
    return recover_options_wants(user_data, track);
}

static void
measure(Recovery *self)
{
    const ManifestPart *manifest = recording_manifest(self->recording);
    int64_t end_us = 0;

    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *segment = manifest->segments->pdata[i];

        end_us = MAX(end_us, segment->start_us + segment->duration_us);
    }
    self->length_us = MIN(end_us, self->options->until_us) - self->options->from_us;
}

static bool
remux(Recovery *self, const GArray *inputs, int fd, GError **error)
{
    const ExporterOptions options = {
        .container = self->options->container,
        .from_us = self->options->from_us,
        .until_us = self->options->until_us,
        .notice = self->notice,
        .fd = fd,
        .on_progress = on_export_progress,
        .user_data = self,
    };

    return exporter_run(inputs, &options, error);
}

static GHashTable *
read_roles(Recovery *self, GError **error)
{
    ObjectStore *store = command_context_store(self->context, error);
    g_autofree char *trouble = NULL;
    g_autoptr(SessionPeople) people = NULL;

    if (store == NULL)
        return NULL;
    people = session_people_read(store, recording_manifest(self->recording), self->identities,
                                 &trouble, error);
    if (trouble != NULL) {
        g_printerr("sealtape: warning: %s\n", trouble);
        self->n_findings++;
    }
    return people == NULL ? NULL : session_people_roles(people);
}

static bool
lay_out(Recovery *self, const GArray *inputs, int fd, GError **error)
{
    g_autoptr(GHashTable) roles = read_roles(self, error);
    g_autoptr(LayoutPlan) layout = NULL;
    LayoutOptions options = {
        .kind = self->options->layout,
        .inputs = inputs,
        .from_us = self->options->from_us,
        .fd = fd,
        .notice = self->notice,
        .on_progress = on_export_progress,
        .user_data = self,
    };

    if (roles == NULL)
        return false;
    layout = layout_plan_new(recording_manifest(self->recording), roles, on_wants_track,
                             (void *) self->options);
    options.tracks = layout_plan_tracks(layout);
    options.until_us = MIN(self->options->until_us, layout_plan_end_us(layout));
    self->length_us = options.until_us - options.from_us;
    return layout_exporter_run(&options, error);
}

static bool export(Recovery *self, OpenedTracks *source, GError **error)
{
    const GArray *inputs = opened_tracks_inputs(source);
    g_autoptr(OutputFile) output = output_file_open(
        self->options->output, self->options->may_overwrite ? OUTPUT_FILE_REPLACE : OUTPUT_FILE_NEW,
        0600, error);
    bool is_done = false;

    if (output == NULL)
        return false;
    is_done = self->options->has_layout ? lay_out(self, inputs, output_file_fd(output), error)
                                        : remux(self, inputs, output_file_fd(output), error);
    terminal_progress_end();
    return is_done && output_file_finish(output, error);
}

static bool
export_all(Recovery *self, const TrackKeys *keys, GError **error)
{
    const OpenedTracksOptions options = {on_wants_track, (void *) self->options,
                                         self->options->from_us, self->options->until_us,
                                         self->options->is_partial};
    g_autoptr(OpenedTracks) source = opened_tracks_new(self->recording, keys, &options, error);
    const GPtrArray *left_out = NULL;

    if (source == NULL)
        return false;
    if (opened_tracks_inputs(source)->len == 0) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                    "nothing was recorded of these tracks in this time");
        return false;
    }
    measure(self);
    if (!export(self, source, error))
        return false;
    left_out = opened_tracks_left_out(source);
    for (guint i = 0; i < left_out->len; i++)
        g_printerr("sealtape: warning: %s\n", (const char *) left_out->pdata[i]);
    self->n_findings += left_out->len;
    return true;
}

static bool
write_transcript(const Recovery *self, const TrackKeys *keys, GError **error)
{
    const OutputFileRule rule =
        self->options->may_overwrite ? OUTPUT_FILE_REPLACE : OUTPUT_FILE_NEW;
    GByteArray *text = recover_transcript_open(self->recording, keys, self->options->tracks, error);
    g_autoptr(OutputFile) output =
        text != NULL ? output_file_open(self->options->output, rule, 0600, error) : NULL;
    const bool is_written = output != NULL &&
                            output_file_write(output, text->data, text->len, error) &&
                            output_file_finish(output, error);

    age_file_wipe(text);
    return is_written;
}

/* They can be told of only where the annotations can be read, which --even-apart does without. */
static bool
write_amendments(Recovery *self, const TrackKeys *keys, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(AnnotationLog) log = recording_read_annotations(self->recording, &fault);
    GByteArray *lines = NULL;

    if (log == NULL && self->options->amendments == NULL) {
        g_printerr("sealtape: warning: whether statements amend it is not known: %s\n",
                   fault->message);
        self->n_findings++;
        return true;
    }
    if (log == NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    amendment_file_tell(self->options, log->view->n_amendments);
    if (self->options->amendments == NULL)
        return true;
    lines = statements_open(self->recording, keys, log, error);
    return lines != NULL && amendment_file_write(self->options, lines, error);
}

/* What is kept from use opens for nobody by chance: not offline either. Fails closed: where the
 * annotations can not be read, nobody knows. */
static bool
may_be_used(const Recovery *self, GError **error)
{
    g_autoptr(AnnotationLog) log = NULL;
    const AnnotationView *view = NULL;

    if (self->options->even_apart)
        return true;
    log = recording_read_annotations(self->recording, error);
    if (log == NULL) {
        g_prefix_error(error, "what was told of it can not be read, and --even-apart not given: ");
        return false;
    }
    view = log->view;
    if (view->quarantine == NULL && view->erase_mark == NULL && view->restriction == NULL)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED,
                "the recording is %s (%s); --even-apart opens it all the same",
                view->erase_mark != NULL   ? "to be erased"
                : view->quarantine != NULL ? "in quarantine"
                                           : "restricted in its use",
                view->erase_mark != NULL   ? view->erase_mark
                : view->quarantine != NULL ? view->quarantine
                                           : view->restriction);
    return false;
}

/* A machine that is set up for this alone may have no log; one that has a log tells it or opens
 * nothing. */
static bool
tell(const Recovery *self, GError **error)
{
    const ManifestPart *manifest = recording_manifest(self->recording);
    const Settings *settings = command_context_settings(self->context, error);
    const AuditEvent event = {
        .kind = AUDIT_RECOVERED, .session = manifest->session, .detail = "recover"};

    if (settings == NULL)
        return false;
    if (self->options->is_untold || settings->keys->signing_key_path == NULL) {
        g_printerr("sealtape: warning: no audit log is told of this\n");
        return true;
    }
    if (command_context_audit(self->context, manifest->org, &event, error))
        return true;
    g_prefix_error(error, "the audit log can not be told, and --without-audit not given: ");
    return false;
}

/* The label stands in the manifest, whose signature is believed; the annotations are not needed. */
static bool
write_notice(Recovery *self, GError **error)
{
    const GPtrArray *marks = recording_manifest(self->recording)->marks;

    for (guint i = 0; i < marks->len; i++) {
        if (part2_label(((const ManifestMark *) marks->pdata[i])->mark) != PART2_NONE)
            self->notice = part2_short_notice();
    }
    return self->notice == NULL || part2_file_write(self->options, NULL, error);
}

static bool
recover(Recovery *self, GPtrArray *identities, GError **error)
{
    ObjectStore *store = command_context_store(self->context, error);
    g_autoptr(TrackKeys) keys = NULL;

    if (store == NULL || !check_tracks(self, error) || !verify(self, error) ||
        !may_be_used(self, error) || !tell(self, error))
        return false;
    keys = track_keys_open(store, recording_manifest(self->recording), identities, error);
    if (keys == NULL || !write_notice(self, error) ||
        !(self->options->is_transcript ? write_transcript(self, keys, error)
                                       : export_all(self, keys, error)) ||
        !write_amendments(self, keys, error))
        return false;
    if (track_keys_trouble(keys) != NULL) {
        g_printerr("sealtape: warning: %s\n", track_keys_trouble(keys));
        self->n_findings++;
    }
    return true;
}

static void
print_result(const Recovery *self)
{
    const RecoverOptions *options = self->options;

    if (strcmp(options->output, "-") == 0)
        return; /* standard output is the media */
    if (command_context_as_json(self->context)) {
        command_context_print_json(json_pack("{s:s, s:s, s:i}", "session", options->session,
                                             "output", options->output, "findings",
                                             (int) self->n_findings));
    } else {
        g_print("%s is written. It is not encrypted: keep it where only you may read it.\n",
                options->output);
    }
}

int
recover_command_run(CommandContext *context, int argc, char **argv)
{
    g_autoptr(RecoverOptions) options = recover_options_parse(context, argc, argv);
    g_autoptr(GPtrArray) identities = NULL;
    g_autoptr(Recording) recording = NULL;
    g_autoptr(GError) error = NULL;
    Recovery self = {.context = context, .options = options};

    if (options == NULL)
        return EXIT_CODE_USAGE;
    if (!media_start(&error) || (options->has_layout && !media_start_layouts(&error)))
        return command_context_fail(context, g_steal_pointer(&error));
    identities = identity_files_read((const char *const *) options->identity_paths,
                                     passphrase_ask_for_file, NULL, &error);
    if (identities == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    recording = command_context_open_recording(context, options->session, &error);
    if (recording == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    self.recording = recording;
    self.identities = identities;
    if (!recover(&self, identities, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    print_result(&self);
    return self.n_findings > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}
