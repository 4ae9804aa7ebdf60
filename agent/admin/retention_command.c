#include "agent/admin/commands.h"
#include "agent/admin/custody.h"
#include "agent/admin/erase_run.h"
#include "agent/admin/erasure_ledger.h"
#include "agent/admin/retention_plan.h"
#include "storage/due_file.h"
#include "storage/storage_error.h"

#include <string.h>

typedef struct {
    gboolean trusts_clock;
    char *org;
    bool is_run;
    unsigned n_erased, n_pending, n_failed, n_kept;
    DueFile due; /* of the organisation at hand */
    json_t *rows;
} Retention;

/* Returns: what becomes of it, as people read it; owned. */
static char *
describe(const RetentionRow *row)
{
    if (row->fault != NULL)
        return g_strdup_printf("left alone: %s", row->fault);
    if (row->verdict == RETENTION_ON_HOLD)
        return g_strdup_printf("blocked by hold %s", row->matters);
    if (row->is_begun) {
        return g_strdup_printf("erasure goes on%s%s",
                               row->until != NULL ? "; bytes locked until " : "",
                               row->until != NULL ? row->until : "");
    }
    if (row->verdict == RETENTION_DUE)
        return g_strdup_printf("due (%s)", row->reason);
    if (row->verdict == RETENTION_NOT_YET)
        return g_strdup_printf("kept until %s", row->until);
    return g_strdup_printf("kept: %s", retention_verdict_name(row->verdict));
}

static void
tell(Retention *self, const RetentionPlan *plan, const RetentionRow *row, const char *what)
{
    if (self->rows == NULL) {
        g_print("%s  %-34s  %s%s%s%s\n", row->session, what,
                row->rule != NULL ? "rule " : "no rule", row->rule != NULL ? row->rule : "",
                row->table != NULL ? " of " : "", row->table != NULL ? row->table : "");
        return;
    }
    json_array_append_new(self->rows,
                          json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:b, s:s?}",
                                    "org", plan->org, "session", row->session, "verdict",
                                    retention_verdict_name(row->verdict), "what", what, "until",
                                    row->until, "rule", row->rule, "table", row->table, "holds",
                                    row->matters, "begun", row->is_begun, "fault", row->fault));
}

/* Notes a date that its annotations do not have yet: from now on no rule shortens it. */
static bool
note_date(const Custody *custody, const RetentionPlan *plan, const RetentionRow *row,
          GError **error)
{
    g_autoptr(Annotation) next = NULL;
    g_autofree char *rule = NULL;
    AuditEvent event = {.kind = AUDIT_RETENTION_SET, .until = row->until};

    if (row->rule == NULL || row->until == NULL || g_strcmp0(row->until, row->noted_until) == 0)
        return true;
    rule = g_strdup_printf("%s/%s", row->table, row->rule);
    event.rule = rule;
    next = annotation_new(plan->org, row->session, ANNOTATION_RETAIN_UNTIL);
    annotation_set(next, ANNOTATION_DATE, row->until);
    annotation_set(next, ANNOTATION_RULE, row->rule);
    annotation_set(next, ANNOTATION_TABLE, row->table);
    return custody_annotate(custody, next, event, error);
}

static bool
erase(Retention *self, const Custody *custody, const RetentionPlan *plan, const RetentionRow *row,
      GError **error)
{
    ErasureOrder order = custody_order(custody, plan->org, row->session);
    g_auto(ErasureResult) result = {0};
    g_autofree char *what = NULL;

    order.reason = row->reason;
    order.rule = row->rule;
    order.table = row->table;
    order.request = row->request;
    order.requested = row->requested;
    order.approved = row->approved;
    order.begun_at_unix_s = row->begun_at_unix_s;
    if (!erase_run(custody, &order, &result, error))
        return false;
    self->n_erased += result.until == NULL;
    self->n_pending += result.until != NULL;
    self->due.n_locked += result.until != NULL;
    what = result.until == NULL
               ? g_strdup("erased")
               : g_strdup_printf("erased by key, bytes locked until %s", result.until);
    tell(self, plan, row, what);
    return true;
}

/* Whether its erasure is to be done now. */
static bool
is_to_go(const RetentionRow *row, const RetentionPlan *plan)
{
    if (row->fault != NULL || row->verdict == RETENTION_ON_HOLD || row->is_busy)
        return false;
    if (row->is_begun)
        return row->until == NULL || strcmp(plan->today, row->until) >= 0;
    return row->verdict == RETENTION_DUE;
}

/* What is left of it after this run. */
static void
note_due(Retention *self, const RetentionRow *row, bool goes, bool is_good)
{
    if (row->fault != NULL || !is_good) {
        self->due.n_failed++;
    } else if (row->verdict == RETENTION_ON_HOLD) {
        self->due.n_held++;
    } else if (goes || row->is_busy) {
        self->due.n_due += !self->is_run || row->is_busy;
    } else if (row->is_begun) {
        self->due.n_locked++;
    }
}

static void
do_row(Retention *self, const Custody *custody, const RetentionPlan *plan, const RetentionRow *row)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *what = describe(row);
    const bool goes = is_to_go(row, plan);
    bool is_good = true;

    if (!self->is_run || !goes)
        tell(self, plan, row, what);
    self->n_kept += !goes;
    self->n_failed += row->fault != NULL;
    if (!self->is_run || row->fault != NULL) {
        note_due(self, row, goes, true);
        return;
    }
    if (goes) {
        is_good = erase(self, custody, plan, row, &error);
    } else if (!row->is_begun && row->verdict != RETENTION_OPEN) {
        is_good = note_date(custody, plan, row, &error);
    }
    if (g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_BUSY)) {
        self->n_kept++;
        tell(self, plan, row, "left to another run, which is erasing it");
    } else if (!is_good) {
        self->n_failed++;
        g_printerr("sealtape retention: %s: %s\n", row->session, error->message);
    }
    note_due(self, row, goes, is_good);
}

static bool
do_org(Retention *self, const Custody *custody, const char *org, GError **error)
{
    GError *fault = NULL;
    g_autoptr(RetentionSettings) settings = retention_plan_settings(custody->settings, org, &fault);
    g_autoptr(RetentionPlan) plan = NULL;
    unsigned n_restored = 0;
    AuditEvent event = {.kind = AUDIT_RETENTION_RUN};

    if (fault != NULL) {
        g_propagate_error(error, fault);
        return false;
    }
    if (self->is_run && !erasure_ledger_replay(custody, org, &n_restored, error))
        return false;
    if (n_restored > 0) {
        g_printerr("sealtape retention: %u notes of erasures were put back into a restored store\n",
                   n_restored);
    }
    plan = retention_plan_make(custody, org, settings, self->trusts_clock, error);
    if (plan == NULL)
        return false;
    self->n_erased = 0;
    self->due = (DueFile){.at_unix_s = g_get_real_time() / G_USEC_PER_SEC};
    for (guint i = 0; i < plan->rows->len; i++)
        do_row(self, custody, plan, plan->rows->pdata[i]);
    if (!due_file_write(custody->settings->keys->ledger_path, org, &self->due, error))
        return false;
    if (self->is_run) {
        erase_run_tell_catalogue(custody, org);
        if (!gone_list_write(plan->gone, self->due.at_unix_s, error))
            return false;
    }
    event.count = self->n_erased;
    event.rule = settings != NULL ? settings->table : NULL;
    return !self->is_run || audit_journal_write(custody->journal, org, &event, error);
}

static int
run(CommandContext *context, Retention *self)
{
    g_auto(Custody) custody = {0};
    g_autoptr(GError) error = NULL;
    const GPtrArray *orgs = NULL;
    int status = EXIT_CODE_OK;

    if (!custody_open(&custody, context, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    orgs = custody.settings->orgs;
    self->rows = command_context_as_json(context) ? json_array() : NULL;
    for (guint i = 0; i < orgs->len; i++) {
        const char *org = ((const OrgSettings *) orgs->pdata[i])->id;

        if ((self->org == NULL || strcmp(self->org, org) == 0) &&
            !do_org(self, &custody, org, &error)) {
            status = command_context_fail(context, g_steal_pointer(&error));
        }
    }
    if (self->rows != NULL) {
        command_context_print_json(json_pack("{s:b, s:o}", "ok",
                                             self->n_failed == 0 && status == EXIT_CODE_OK,
                                             "sessions", self->rows));
    }
    return self->n_failed == 0 ? status : EXIT_CODE_FAILED;
}

/* Which of the two, and the youngest one's birth date from standard input, never from arguments. */
static int
classify(CommandContext *context, const char *session, bool is_minor)
{
    g_auto(Custody) custody = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;
    g_autoptr(Annotation) next = NULL;
    char line[32] = "";
    const AuditEvent event = {.kind = AUDIT_RETENTION_SET, .state = is_minor ? "minor" : "adult"};

    if (is_minor && (fgets(line, sizeof line, stdin) == NULL || strlen(g_strchomp(line)) != 10)) {
        g_printerr("sealtape retention: give the birth date of the youngest on standard input, as "
                   "2015-03-01\n");
        return EXIT_CODE_USAGE;
    }
    if (custody_open(&custody, context, &error))
        log = custody_read(&custody, session, &error);
    if (log == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    next = annotation_new(log->org, session, ANNOTATION_CLASSIFIED);
    annotation_set(next, ANNOTATION_STATE, event.state);
    if (is_minor) {
        /* The last day of the year: a later end, and no birthday to be read off it. */
        g_autofree char *rounded = g_strdup_printf("%.4s-12-31", line);

        annotation_set(next, ANNOTATION_DATE, rounded);
    }
    explicit_bzero(line, sizeof line);
    if (!custody_annotate(&custody, next, event, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    if (!command_context_as_json(context))
        g_print("%s: %s.\n", session, event.state);
    return EXIT_CODE_OK;
}

int
retention_command_run(CommandContext *context, int argc, char **argv)
{
    Retention self = {0};
    g_autofree char *org = NULL;
    const GOptionEntry entries[] = {
        {"org",            0, 0, G_OPTION_ARG_STRING, &org,               "Only this organisation's", "ID"},
        {"clock-is-right", 0, 0, G_OPTION_ARG_NONE,   &self.trusts_clock,
         "A person has looked: the clock is right, though nothing in the store is as new",            NULL},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "retention",
        "plan | run | classify SESSION adult|minor",
        "Tells until when each recording is kept and why, or erases what is due.",
        entries,
        1,
        3};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    self.org = org;
    self.is_run = strcmp(argv[1], "run") == 0;
    if (argc == 2 && (self.is_run || strcmp(argv[1], "plan") == 0))
        return run(context, &self);
    if (argc == 4 && strcmp(argv[1], "classify") == 0 &&
        (strcmp(argv[3], "adult") == 0 || strcmp(argv[3], "minor") == 0))
        return classify(context, argv[2], strcmp(argv[3], "minor") == 0);
    g_printerr("sealtape retention: give `plan`, `run`, or `classify SESSION adult|minor`\n");
    return EXIT_CODE_USAGE;
}
