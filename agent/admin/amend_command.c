#include "agent/admin/amend_resume.h"
#include "agent/admin/commands.h"
#include "agent/admin/custody.h"
#include "agent/admin/input_file.h"
#include "agent/playback/statements.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/age_key.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>
#include <sys/uio.h>

/* The order of an amendment:
 *  1. The statement is read and checked, and sealed to the key of one of the session's tracks, as
 *     the signed manifest names it: what opens the recording opens it, after a rotation too, and
 *     what destroys the recording's keys destroys it. This program can not open it again.
 *  2. The auditors are told.
 *  3. The sealed statement is put, and then the annotation that names it. What is killed between
 *     leaves a statement that nobody signed for, which `verify` names, and which the next `amend`
 * of that recording on this host signs for instead of its own: by the record of step 2 it knows
 *     whose it is, and whether it is the same words again nobody can tell who can not open it. */

typedef struct {
    const char *session, *participant;
    const char *path; /* NULL: standard input */
} Statement;

static bool
refuse(GError **error, const char *name, const char *why)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED, "%s: %s", name, why);
    return false;
}

static bool
check_text(const char *name, const GByteArray *text, GError **error)
{
    if (text->len > STATEMENT_MAX_BYTES)
        return refuse(error, name, "a statement has at most 65536 bytes");
    if (memchr(text->data, '\0', text->len) != NULL ||
        !g_utf8_validate((const char *) text->data, text->len, NULL))
        return refuse(error, name, "a statement is text in UTF-8");
    for (guint i = 0; i < text->len; i++) {
        if (g_ascii_iscntrl(text->data[i]) && strchr("\n\r\t", text->data[i]) == NULL)
            return refuse(error, name, "a statement has no control characters");
    }
    for (guint i = 0; i < text->len; i++) {
        if (!g_ascii_isspace(text->data[i]))
            return true;
    }
    return refuse(error, name, "the statement is empty");
}

/* Returns: to be wiped with age_file_wipe(); NULL sets `error`. */
static GByteArray *
read_text(const Statement *self, GError **error)
{
    g_autoptr(InputFile) file = input_file_open(self->path, error);
    GByteArray *text = file != NULL ? g_byte_array_sized_new(STATEMENT_MAX_BYTES + 1) : NULL;
    size_t n_read = 1;
    bool is_good = text != NULL;

    while (is_good && n_read > 0 && text->len <= STATEMENT_MAX_BYTES) {
        const guint n_bytes = text->len;

        g_byte_array_set_size(text, STATEMENT_MAX_BYTES + 1);
        is_good = input_file_read(file, text->data + n_bytes, text->len - n_bytes, &n_read, error);
        g_byte_array_set_size(text, n_bytes + (is_good ? (guint) n_read : 0));
    }
    if (is_good && check_text(input_file_name(file), text, error))
        return text;
    age_file_wipe(text);
    return NULL;
}

/* Returns: the track to whose key it is sealed, borrowed; NULL sets `error`. */
static const ManifestTrack *
find_track(const ManifestPart *manifest, GError **error)
{
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (manifest_track_is_media(track))
            return track;
    }
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND,
                "session %s: nothing was recorded of it that could be amended", manifest->session);
    return NULL;
}

static GBytes *
seal(const ManifestPart *manifest, const GByteArray *text, GError **error)
{
    const ManifestTrack *track = find_track(manifest, error);
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(AgeContext) context = NULL;
    AgeRecipient *recipient = track != NULL ? age_recipient_parse(track->recipient, error) : NULL;
    const struct iovec piece = {text->data, text->len};

    if (recipient == NULL)
        return NULL;
    g_ptr_array_add(recipients, recipient);
    context = age_context_new_statement(manifest->org, manifest->session, track->id);
    return age_file_seal(recipients, context, &piece, 1, error);
}

/* Step 1. */
static GBytes *
read_and_seal(CommandContext *context, const Statement *self, GError **error)
{
    g_autoptr(Recording) recording = command_context_open_recording(context, self->session, error);
    GByteArray *text = NULL;
    GBytes *sealed = NULL;

    if (recording == NULL)
        return NULL;
    if (recording_manifest(recording)->state == SESSION_OPEN) {
        (void) refuse(error, self->session, "it is still being recorded: amend it when it ended");
        return NULL;
    }
    text = read_text(self, error);
    if (text != NULL)
        sealed = seal(recording_manifest(recording), text, error);
    age_file_wipe(text);
    return sealed;
}

/* Steps 2 and 3. */
static bool
add(const Custody *custody, Annotation *next, GBytes *sealed, const char *digest, GError **error)
{
    const AuditEvent event = {.kind = AUDIT_AMENDED,
                              .object = digest,
                              .participant = next->values[ANNOTATION_PARTICIPANT],
                              .count = next->n_known};
    g_autofree char *key = object_key_statement(next->org, next->session, digest);
    const CustodyObject beside = {key, sealed};

    return custody_annotate_beside(custody, next, event, &beside, error);
}

static void
print(CommandContext *context, const Annotation *next, bool is_resumed)
{
    const char *digest = next->values[ANNOTATION_STATEMENT];

    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:s, s:i, s:s, s:s?, s:b}", "session", next->session,
                                             "number", (int) next->number, "statement", digest,
                                             "participant", next->values[ANNOTATION_PARTICIPANT],
                                             "resumed", is_resumed));
    } else if (is_resumed) {
        g_print(
            "%s: an amend before this one was cut short; what it had sealed is signed for "
            "now, number %u.\nYours was not added: if it is another statement, give it again.\n",
            next->session, next->number);
    } else {
        g_print("%s: amended, number %u. Whoever opens it is told.\n", next->session, next->number);
    }
}

/* Signs for what lies there. */
static int
resume(CommandContext *context, const Custody *custody, Annotation *next)
{
    const AuditEvent event = {.kind = AUDIT_AMENDED,
                              .object = next->values[ANNOTATION_STATEMENT],
                              .participant = next->values[ANNOTATION_PARTICIPANT],
                              .detail = "resumed"};
    g_autoptr(GError) error = NULL;

    if (!custody_annotate(custody, next, event, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    print(context, next, true);
    return EXIT_CODE_FINDINGS;
}

/* Returns: as amend_resume_find(), by what is told of it now. */
static Annotation *
find_unsigned(CommandContext *context, const Custody *custody, const char *session, GError **error)
{
    g_autoptr(AnnotationLog) log = custody_read(custody, session, error);

    return log != NULL ? amend_resume_find(context, custody, log, error) : NULL;
}

static int
amend(CommandContext *context, const Statement *self)
{
    g_auto(Custody) custody = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;
    g_autoptr(GBytes) sealed = NULL;
    g_autoptr(Annotation) next = NULL;
    g_autoptr(Annotation) left = NULL;
    g_autofree char *hex = NULL;
    g_auto(Fd) lock = -1;
    Digest digest;

    if (custody_open(&custody, context, &error))
        log = custody_read(&custody, self->session, &error);
    if (log != NULL)
        sealed = read_and_seal(context, self, &error);
    if (sealed == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    lock = amend_resume_lock(&custody, log->org);
    if (lock >= 0)
        left = find_unsigned(context, &custody, self->session, &error);
    if (left != NULL)
        return resume(context, &custody, left);
    if (error != NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    digest = digest_of_bytes(sealed);
    hex = digest_to_hex(&digest);
    next = annotation_new(log->org, self->session, ANNOTATION_AMENDED);
    annotation_set(next, ANNOTATION_PARTICIPANT, self->participant);
    annotation_set(next, ANNOTATION_STATEMENT, hex);
    next->n_known = log->view->n_notes;
    if (!add(&custody, next, sealed, hex, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    print(context, next, false);
    return EXIT_CODE_OK;
}

int
amend_command_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *path = NULL;
    g_autofree char *participant = NULL;
    const GOptionEntry entries[] = {
        {"statement",   0, 0, G_OPTION_ARG_FILENAME, &path,        "The text (standard input)", "FILE"},
        {"participant", 0, 0, G_OPTION_ARG_STRING,   &participant, "Whose statement it is",     "ID"  },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "amend",
        "SESSION [--statement FILE] [--participant ID]",
        "Seals a statement of a client or clinician beside a recording and signs that it is there. "
        "The\nrecording itself stays as it is. Whoever opens it is told.",
        entries,
        1,
        1};
    Statement self = {0};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    self = (Statement){argv[1], participant, path};
    return amend(context, &self);
}
