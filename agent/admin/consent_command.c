#include "agent/admin/commands.h"
#include "agent/admin/custody.h"

#include <string.h>

/* A consent that is given after the session: to give a recording of a substance use disorder to
 * others, which is asked of the client when somebody wants it.
 *
 * Or one that is taken back. What its organisation wants then comes first, so
 * that whoever is interrupted and asks again leaves nothing undone:
 *
 *  1. quarantine, for `quarantine` and `erase`;
 *  2. for `erase` also the request, which somebody else approves: after a session has ended, a
 *     recording goes by two people;
 *  3. the withdrawal itself. */

#define WHY "consent-withdrawn"

typedef struct {
    Custody custody;
    const char *org, *session, *participant, *purpose;
    const char *evidence, *recipient; /* NULL: not said */
} Withdrawal;

static bool
add(const Withdrawal *self, Annotation *taken, AuditKind kind, GError **error)
{
    g_autoptr(Annotation) next = taken;
    const AuditEvent event = {.kind = kind,
                              .participant = self->participant,
                              .purpose = self->purpose,
                              .state = next->values[ANNOTATION_STATE],
                              .reason = self->evidence == NULL ? WHY : NULL,
                              .evidence = self->evidence,
                              .recipient = self->recipient};

    return custody_annotate(&self->custody, next, event, error);
}

static bool
add_reasoned(const Withdrawal *self, AnnotationKind kind, AuditKind event, GError **error)
{
    Annotation *next = annotation_new(self->org, self->session, kind);

    annotation_set(next, ANNOTATION_REASON, WHY);
    return add(self, next, event, error);
}

static bool
say(const Withdrawal *self, const char *state, GError **error)
{
    Annotation *next = annotation_new(self->org, self->session, ANNOTATION_CONSENT);

    annotation_set(next, ANNOTATION_PARTICIPANT, self->participant);
    annotation_set(next, ANNOTATION_PURPOSE, self->purpose);
    annotation_set(next, ANNOTATION_STATE, state);
    annotation_set(next, ANNOTATION_EVIDENCE, self->evidence);
    annotation_set(next, ANNOTATION_RECIPIENT, self->recipient);
    return add(self, next, AUDIT_CONSENT_CHANGED, error);
}

static bool
withdraw(const Withdrawal *self, const AnnotationView *view, OrgWithdrawal effect, GError **error)
{
    if (effect != ORG_WITHDRAWAL_KEEP && view->quarantine == NULL &&
        !add_reasoned(self, ANNOTATION_QUARANTINED, AUDIT_QUARANTINED, error))
        return false;
    if (effect == ORG_WITHDRAWAL_ERASE && view->request == 0 &&
        !add_reasoned(self, ANNOTATION_ERASURE_REQUESTED, AUDIT_ERASURE_REQUESTED, error))
        return false;
    return say(self, "withdrawn", error);
}

/* Only what was recorded is touched by a consent to record it; the others end what would come. */
static OrgWithdrawal
effect_of(const Withdrawal *self)
{
    const OrgSettings *org = settings_org(self->custody.settings, self->org);

    if (!g_str_has_prefix(self->purpose, "record-"))
        return ORG_WITHDRAWAL_KEEP;
    return org != NULL ? org->consent->on_withdrawal : ORG_WITHDRAWAL_QUARANTINE;
}

static void
print_result(CommandContext *context, const Withdrawal *self, OrgWithdrawal effect)
{
    static const struct {
        const char *word, *sentence;
    } rows[] = {
        [ORG_WITHDRAWAL_QUARANTINE] = {"quarantine", "the recording is in quarantine"   },
        [ORG_WITHDRAWAL_KEEP] = {"keep",       "the recording stays as it is"     },
        [ORG_WITHDRAWAL_ERASE] = {"erase",
                                       "the recording is in quarantine, and its erasure is requested: "
                                  "somebody else approves it (sealtape erase --approve)"},
    };

    if (command_context_as_json(context)) {
        command_context_print_json(json_pack(
            "{s:s, s:s, s:s, s:s, s:s}", "session", self->session, "participant", self->participant,
            "purpose", self->purpose, "state", "withdrawn", "effect", rows[effect].word));
        return;
    }
    g_print("%s: the consent of %s to %s is withdrawn; %s.\n", self->session, self->participant,
            self->purpose, rows[effect].sentence);
}

static void
print_grant(CommandContext *context, const Withdrawal *self)
{
    if (command_context_as_json(context)) {
        command_context_print_json(
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "session", self->session, "participant",
                      self->participant, "purpose", self->purpose, "state", "granted", "evidence",
                      self->evidence, "recipient", self->recipient));
        return;
    }
    g_print("%s: %s consents to %s by %s%s%s.\n", self->session, self->participant, self->purpose,
            self->evidence, self->recipient != NULL ? ", for " : "",
            self->recipient != NULL ? self->recipient : "");
}

static int
run(CommandContext *context, Withdrawal *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;
    OrgWithdrawal effect = ORG_WITHDRAWAL_QUARANTINE;

    if (custody_open(&self->custody, context, &error))
        log = custody_read(&self->custody, self->session, &error);
    if (log == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    self->org = log->org;
    effect = effect_of(self);
    if (!(self->evidence != NULL ? say(self, "granted", &error)
                                 : withdraw(self, log->view, effect, &error)))
        return command_context_fail(context, g_steal_pointer(&error));
    if (self->evidence != NULL) {
        print_grant(context, self);
    } else {
        print_result(context, self, effect);
    }
    return EXIT_CODE_OK;
}

/* Returns: what is wrong with it; NULL: nothing. */
static const char *
fault_of(const Withdrawal *self, const char *verb)
{
    const bool is_grant = strcmp(verb, "grant") == 0;
    const bool is_sud = self->purpose != NULL && g_str_has_prefix(self->purpose, "sud-");

    if ((!is_grant && strcmp(verb, "withdraw") != 0) || self->participant == NULL ||
        self->purpose == NULL)
        return "give `withdraw SESSION --participant ID --purpose PURPOSE`, or `grant`";
    if (!org_consent_is_purpose(self->purpose))
        return "--purpose is none; docs/configuration.md lists them";
    if (is_grant != (self->evidence != NULL))
        return "--evidence names the proof of what is granted, and of nothing else";
    if ((is_grant || self->recipient != NULL) && !is_sud) {
        return "after the session only sud-tpo, sud-other, sud-legal and sud-notes are granted, or "
               "named for a --recipient";
    }
    return NULL;
}

int
consent_command_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *participant = NULL;
    g_autofree char *purpose = NULL;
    g_autofree char *evidence = NULL;
    g_autofree char *recipient = NULL;
    const GOptionEntry entries[] = {
        {"participant", 0, 0, G_OPTION_ARG_STRING, &participant, "Whose consent it is",                "ID"     },
        {"purpose",     0, 0, G_OPTION_ARG_STRING, &purpose,     "record-audio, ...",                  "PURPOSE"},
        {"evidence",    0, 0, G_OPTION_ARG_STRING, &evidence,    "grant: its proof",                   "ID"     },
        {"recipient",   0, 0, G_OPTION_ARG_STRING, &recipient,   "Of sud-...: the only one it is for",
         "ID"                                                                                                   },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "consent",
        "withdraw|grant SESSION --participant ID --purpose PURPOSE",
        "Takes back a consent after the session; the organisation's `on_withdrawal` says what then "
        "becomes of the recording. Or adds one to a disclosure (42 CFR part 2).",
        entries,
        2,
        2};
    Withdrawal self = {0};
    const char *fault = NULL;
    int result = EXIT_CODE_USAGE;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    self.session = argv[2];
    self.participant = participant;
    self.purpose = purpose;
    self.evidence = evidence;
    self.recipient = recipient;
    fault = fault_of(&self, argv[1]);
    if (fault != NULL) {
        g_printerr("sealtape consent: %s\n", fault);
        return EXIT_CODE_USAGE;
    }
    result = run(context, &self);
    custody_clear(&self.custody);
    return result;
}
