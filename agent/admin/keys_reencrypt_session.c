#include "agent/admin/keys_reencrypt_session.h"

#include "agent/admin/terminal.h"
#include "agent/keys/signer_check.h"

/* Each claim is told before anything is opened, and the end when all is done. */
static bool
annotate(void *user_data, Annotation *next, GError **error)
{
    const ReencryptTask *task = user_data;
    const bool has_ended = next->kind == ANNOTATION_RESEALED;
    const AuditEvent event = {
        .kind = AUDIT_RESEALED,
        .reason = next->values[ANNOTATION_REASON],
        .key = task->against,
        .new_key = task->marks,
        .object = next->values[ANNOTATION_CERTIFICATE],
        .until = next->values[ANNOTATION_DATE],
        .detail = has_ended ? "ended" : "begun",
    };

    return custody_annotate(task->custody, next, event, error);
}

static void
on_progress(void *user_data, uint64_t n_done, uint64_t n_bytes)
{
    if (n_bytes > 0)
        terminal_progress("sealing anew", (double) n_done / (double) n_bytes);
}

bool
keys_reencrypt_session(const ReencryptTask *task, const char *session, ResealResult *result,
                       GError **error)
{
    const Custody *custody = task->custody;
    const char *org = task->work->org->id;
    const ResealJob job = {
        .keys = {custody->store, task->recipients, task->identities},
        .trust = {custody->recorders,              custody->annotators            },
        .signer = custody->signer,
        .org = org,
        .session = session,
        .against = task->against,
        .by = custody->by,
        .software = "sealtape/" SEALTAPE_VERSION,
        .takes_over = task->takes_over,
        .annotate = annotate,
        .on_progress = on_progress,
        .user_data = (void *) task,
    };
    bool is_good = false;

    *result = (ResealResult){0};
    if (!signer_check_require(custody->settings, custody->store, org, session, error))
        return false;
    is_good = reseal_run(&job, result, error);
    terminal_progress_end();
    return is_good;
}

bool
keys_reencrypt_began_before(const ReencryptTask *task, const char *session, int64_t until_us,
                            bool *is_before, GError **error)
{
    const Custody *custody = task->custody;
    const RecordingTrust trust = {custody->recorders, custody->annotators};
    g_autoptr(Recording) recording =
        recording_open(custody->store, task->work->org->id, session, &trust, error);
    const ManifestPart *manifest = recording != NULL ? recording_manifest(recording) : NULL;

    if (manifest == NULL)
        return false;
    *is_before = manifest->tracks->len == 0;
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        *is_before = *is_before || track->anchor_unix_us < until_us;
    }
    return true;
}
