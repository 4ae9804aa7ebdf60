#include "agent/admin/release_command.h"

#include "agent/admin/custody.h"
#include "agent/rules/org_policy.h"

#include <gio/gio.h>
#include <string.h>

/* Lets a session's clients have it, where the organisation releases by hand, or no longer. The
 * order: the decision, its record, the signed annotation. The opener reads the annotation at each
 * decision, so that what is being streamed ends within a second of a withdrawal. */

typedef struct {
    const char *session;
    const char *participant; /* NULL: all its clients */
    bool is_withdrawn;
} Release;

/* Who runs this program, as the organisation's file knows this user; nobody else has a role. */
static AccessPerson
person_of(const Custody *custody, const OrgSettings *org)
{
    const OrgOperator *found = org != NULL && g_str_has_prefix(custody->by, "unix:")
                                   ? org_policy_operator(org, custody->by + strlen("unix:"))
                                   : NULL;
    AccessPerson person = {
        .id = custody->by, .org = org != NULL ? org->id : NULL, .is_operator = true};

    if (found == NULL)
        return person;
    person.owns_every_session = found->owns_every_session;
    for (char **role = found->roles; *role != NULL; role++)
        person.roles |= org_policy_role(*role);
    return person;
}

static AccessDecision
decide(const Custody *custody, const AnnotationLog *log, const OrgSettings *org)
{
    const AccessPerson person = person_of(custody, org);
    const AccessSession session = {.org = log->org,
                                   .is_erased = log->view->is_erasing || log->view->is_erased,
                                   .n_holds = log->view->matters->len};
    /* Without a record nothing is done, which custody_annotate() sees to. */
    const AccessRequest request = {.action = ACCESS_RELEASE, .audit_is_ready = true};

    if (org == NULL)
        return (AccessDecision){.reason = ACCESS_POLICY_MISSING};
    return org_policy_access_decide(org, &person, &session, &request, g_get_real_time());
}

static bool
refuse(const Custody *custody, const AnnotationLog *log, AuditEvent event, AccessReason reason,
       GError **error)
{
    event.outcome = AUDIT_REFUSED;
    event.reason = access_reason_text(reason);
    if (!audit_journal_write(custody->journal, log->org, &event, error))
        return false;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                "%s may not do this to session %s: %s; a custodian among the `operators` of "
                "organisation %s may",
                custody->by, log->session, event.reason, log->org);
    return false;
}

static bool
release(const Custody *custody, const Release *wanted, const AnnotationLog *log, GError **error)
{
    const OrgSettings *org = settings_org(custody->settings, log->org);
    const AccessDecision decision = decide(custody, log, org);
    const AuditEvent event = {
        .kind = wanted->is_withdrawn ? AUDIT_RELEASE_WITHDRAWN : AUDIT_RELEASED,
        .session = log->session,
        .participant = wanted->participant,
        .role = decision.reason == ACCESS_OK ? access_role_text(decision.role) : NULL,
        .policy = org != NULL ? org->digest : NULL};
    g_autoptr(Annotation) next =
        annotation_new(log->org, log->session,
                       wanted->is_withdrawn ? ANNOTATION_RELEASE_WITHDRAWN : ANNOTATION_RELEASED);

    if (decision.reason != ACCESS_OK)
        return refuse(custody, log, event, decision.reason, error);
    annotation_set(next, ANNOTATION_PARTICIPANT, wanted->participant);
    return custody_annotate(custody, next, event, error);
}

/* Somebody without media may be in the session too, so this is only said. */
static void
warn_of_stranger(CommandContext *context, const Release *wanted)
{
    g_autoptr(Recording) recording = command_context_open_recording(context, wanted->session, NULL);
    const ManifestPart *manifest = recording != NULL ? recording_manifest(recording) : NULL;

    if (manifest == NULL || wanted->participant == NULL)
        return;
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (g_strcmp0(track->participant, wanted->participant) == 0)
            return;
    }
    g_printerr("sealtape: warning: nothing was recorded of a participant %s\n",
               wanted->participant);
}

static int
run(CommandContext *context, const Release *wanted)
{
    g_auto(Custody) custody = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;

    if (custody_open(&custody, context, &error))
        log = custody_read(&custody, wanted->session, &error);
    if (log == NULL || !release(&custody, wanted, log, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    warn_of_stranger(context, wanted);
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:s, s:b, s:s?}", "session", wanted->session,
                                             "released", !wanted->is_withdrawn, "participant",
                                             wanted->participant));
    } else {
        g_print("%s: %s to %s.\n", wanted->session,
                wanted->is_withdrawn ? "no longer released" : "released",
                wanted->participant != NULL ? wanted->participant : "its clients");
    }
    return EXIT_CODE_OK;
}

int
release_command_run(CommandContext *context, int argc, char **argv)
{
    const bool is_withdrawn = strcmp(argv[0], "unrelease") == 0;
    g_autofree char *participant = NULL;
    const GOptionEntry entries[] = {
        {"participant", 0, 0, G_OPTION_ARG_STRING, &participant, "This client alone", "ID"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        is_withdrawn ? "session unrelease" : "session release",
        "SESSION [--participant ID]",
        is_withdrawn ? "Takes back what was released; what a client is being sent ends at once."
                     : "Lets the session's clients have it, where the organisation releases by "
                       "hand.",
        entries,
        1,
        1};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    return run(context, &(Release){argv[1], participant, is_withdrawn});
}
