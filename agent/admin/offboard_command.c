#include "agent/admin/annotation_facts.h"
#include "agent/admin/commands.h"
#include "agent/admin/custody_decision.h"
#include "agent/admin/offboard.h"
#include "agent/admin/passphrase.h"
#include "agent/admin/session_facts.h"
#include "agent/audit/disclosure.h"
#include "agent/playback/identity_files.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "storage/object_key.h"
#include "storage/session_list.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For each session, in this order: the auditors are told; recording.mkv with all its tracks, and
 * amendments.jsonl; transcript.vtt, where there is one; meta.json, the metadata that were sealed;
 * session.json, what is signed of it; and `complete`. A session that has that is not done again, as
 * long as nothing came to it; where something was only told of it, only session.json is. */

typedef struct {
    CommandContext *context;
    Custody custody;
    AuditEvent event;      /* of each export: who, and why */
    GPtrArray *identities; /* AgeIdentity */
    char *org, *output;
    char **identity_paths;
    gboolean is_partial;
    unsigned n_done, n_there, n_failed;
} Offboard;

static char *
path_of(const Offboard *self, const char *session, const char *name)
{
    return g_build_filename(self->output, session, name, NULL);
}

static bool
make_folder(const char *path, GError **error)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    return storage_fail_errno(error, "make", path);
}

/* As `recover` would be asked for it. */
static bool
recover(const Offboard *self, const char *session, const char *name, bool is_transcript,
        GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *path = path_of(self, session, name);
    g_autofree char *amendments = path_of(self, session, "amendments.jsonl");
    int status = EXIT_CODE_FAILED;

    g_ptr_array_add(words, (char *) "recover");
    g_ptr_array_add(words, (char *) session);
    for (char **identity = self->identity_paths; *identity != NULL; identity++) {
        g_ptr_array_add(words, (char *) "--identity");
        g_ptr_array_add(words, *identity);
    }
    g_ptr_array_add(words, (char *) "--output");
    g_ptr_array_add(words, path);
    g_ptr_array_add(words, (char *) "--overwrite");
    g_ptr_array_add(words, (char *) "--even-apart");
    if (is_transcript) {
        g_ptr_array_add(words, (char *) "--transcript");
    } else {
        g_ptr_array_add(words, (char *) "--amendments");
        g_ptr_array_add(words, amendments);
    }
    if (self->is_partial && !is_transcript)
        g_ptr_array_add(words, (char *) "--partial");
    g_ptr_array_add(words, NULL);
    status =
        recover_command_run(self->context, (int) words->len - 1, (char **) (void *) words->pdata);
    if (status == EXIT_CODE_OK || (status == EXIT_CODE_FINDINGS && self->is_partial))
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "%s is not whole: --partial hands over what is there", name);
    return false;
}

static bool
write_meta(const Offboard *self, const ManifestPart *manifest, GError **error)
{
    g_autofree char *key = object_key_join(manifest->org, manifest->session, "meta.age");
    g_autofree char *path = path_of(self, manifest->session, "meta.json");
    g_autoptr(AgeContext) context = age_context_new_meta(manifest->org, manifest->session);
    g_autoptr(GError) missing = NULL;
    g_autoptr(GBytes) sealed = object_store_get(self->custody.store, key, &missing);
    GByteArray *plain = NULL;
    bool is_good = false;

    if (g_error_matches(missing, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return true;
    if (sealed == NULL) {
        g_propagate_error(error, g_steal_pointer(&missing));
        return false;
    }
    plain = age_file_open(self->identities, context, g_bytes_get_data(sealed, NULL),
                          g_bytes_get_size(sealed), error);
    is_good = plain != NULL && offboard_write(path, plain->data, plain->len, error);
    age_file_wipe(plain);
    return is_good;
}

static bool
write_facts(const Offboard *self, const ManifestPart *manifest, const AnnotationLog *log,
            GError **error)
{
    g_autofree char *path = path_of(self, manifest->session, OFFBOARD_FACTS);
    g_autoptr(SessionFacts) facts =
        session_facts_new(manifest->org, manifest->session, manifest, NULL);
    json_t *form = session_facts_to_json(facts);
    char *text = NULL;
    bool is_good = false;

    json_object_set_new(form, "annotations", annotation_facts_to_json(log));
    text = json_dumps(form, JSON_INDENT(2));
    is_good = text != NULL && offboard_write(path, text, strlen(text), error);
    json_decref(form);
    free(text); /* jansson's */
    return is_good;
}

static bool
has_text(const ManifestPart *manifest)
{
    for (guint i = 0; i < manifest->tracks->len; i++) {
        if (!manifest_track_is_media(manifest->tracks->pdata[i]))
            return true;
    }
    return false;
}

/* What is there is not believed before it is whole again. */
static bool
forget(const Offboard *self, const char *session, GError **error)
{
    g_autofree char *path = path_of(self, session, OFFBOARD_COMPLETE);

    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    return storage_fail_errno(error, "remove", path);
}

static bool
write_media(const Offboard *self, const ManifestPart *manifest, GError **error)
{
    const char *session = manifest->session;

    return (manifest->segments->len == 0 ||
            recover(self, session, "recording.mkv", false, error)) &&
           (!has_text(manifest) || recover(self, session, "transcript.vtt", true, error)) &&
           write_meta(self, manifest, error);
}

static bool
export_session(const Offboard *self, const Recording *recording, const AnnotationLog *log,
               OffboardState before, GError **error)
{
    const ManifestPart *manifest = recording_manifest(recording);
    AuditEvent event = self->event;
    g_autofree char *folder = g_build_filename(self->output, log->session, NULL);

    event.session = log->session;
    return audit_journal_write(self->custody.journal, self->org, &event, error) &&
           make_folder(folder, error) && forget(self, log->session, error) &&
           (before == OFFBOARD_OLD_FACTS || write_media(self, manifest, error)) &&
           write_facts(self, manifest, log, error) &&
           offboard_complete(self->output, recording, log, error);
}

static bool
do_session(Offboard *self, const char *session, GError **error)
{
    g_autoptr(AnnotationLog) log = NULL;
    g_autoptr(Recording) recording =
        custody_open_recording(&self->custody, self->org, session, &log, error);
    g_autofree char *why = NULL;
    OffboardState before;

    if (recording == NULL)
        return false;
    if (log->view->is_erasing || log->view->is_erased)
        return true; /* nothing of it opens any more */
    before = offboard_compare(self->output, recording, log, &why);
    if (before == OFFBOARD_CURRENT) {
        self->n_there++;
        return true;
    }
    if (recording_manifest(recording)->state == SESSION_OPEN) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY, "it is still being recorded");
        return false;
    }
    if (before != OFFBOARD_MISSING && !command_context_as_json(self->context))
        g_print("%s: %s: handed over again\n", session, why);
    if (!export_session(self, recording, log, before, error))
        return false;
    self->n_done++;
    return true;
}

static bool
run(Offboard *self, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    self->event = (AuditEvent){.kind = AUDIT_MEDIA_EXPORTED,
                               .basis = disclosure_basis_text(DISCLOSURE_TPO),
                               .use = "RECORDMGT",
                               .detail = "offboard"};
    if (!custody_open(&self->custody, self->context, error) ||
        !custody_may(&self->custody, self->org, ACCESS_PLAY, &self->event, error))
        return false;
    self->identities = identity_files_read((const char *const *) self->identity_paths,
                                           passphrase_ask_for_file, NULL, error);
    if (self->identities == NULL || !make_folder(self->output, error))
        return false;
    names = session_list_names(self->custody.store, self->org, error);
    for (guint i = 0; names != NULL && i < names->len; i++) {
        const char *session = ((const SessionName *) names->pdata[i])->session;
        g_autoptr(GError) fault = NULL;

        if (!do_session(self, session, &fault)) {
            self->n_failed++;
            g_printerr("sealtape offboard: %s: %s\n", session, fault->message);
        }
    }
    return names != NULL;
}

static int
offboard(Offboard *self)
{
    g_autoptr(GError) error = NULL;
    int status = EXIT_CODE_OK;

    if (!run(self, &error)) {
        status = command_context_fail(self->context, g_steal_pointer(&error));
    } else {
        status = self->n_failed > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
        if (!command_context_as_json(self->context)) {
            g_print("%u exported, %u were there already, %u failed. They are not encrypted: keep "
                    "%s where only you may read it.\n",
                    self->n_done, self->n_there, self->n_failed, self->output);
        }
    }
    custody_clear(&self->custody);
    g_clear_pointer(&self->identities, g_ptr_array_unref);
    return status;
}

int
offboard_command_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_autofree char *output = NULL;
    g_auto(GStrv) identities = NULL;
    Offboard self = {.context = context};
    const GOptionEntry entries[] = {
        {"org",      0,   0, G_OPTION_ARG_STRING,         &org,             "Whose recordings",                    "ID"  },
        {"identity", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &identities,
         "age identity file of a recipient; may be given again",                                                   "FILE"},
        {"output",   'o', 0, G_OPTION_ARG_FILENAME,       &output,          "The folder, made if it is not there",
         "DIR"                                                                                                           },
        {"partial",  0,   0, G_OPTION_ARG_NONE,           &self.is_partial,
         "Leave damaged segments out and go on",                                                                   NULL  },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "offboard",
        "--org ID --identity FILE --output DIR",
        "Opens every recording of an organisation into files that play, each with its metadata, "
        "and "
        "goes\non where it stopped, with what came since too. Afterwards `erase --all` may erase "
        "them.",
        entries,
        0,
        0};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (org == NULL || output == NULL || identities == NULL) {
        g_printerr("sealtape offboard: give --org, --identity and --output\n");
        return EXIT_CODE_USAGE;
    }
    self.org = org;
    self.output = output;
    self.identity_paths = identities;
    return offboard(&self);
}
