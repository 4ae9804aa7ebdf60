#include "agent/admin/retention_plan.h"

#include "agent/policy/retention_day.h"
#include "storage/object_key.h"
#include "storage/session_list.h"
#include "storage/session_walk.h"

#include <string.h>

/* Two passes: every recording is looked at, and the newest day that any of them gives evidence of
 * is remembered; then each is judged against it. The first asks the store several times for each,
 * so it looks at several at once; the rows stand in the order of the names all the same. */

enum { LOOKS_AT_ONCE = 8 };

typedef struct {
    const Custody *custody;
    RetentionPlan *plan;
    const RetentionSettings *settings;
    GTimeZone *zone;
    RetentionTable table;
    GArray *cases; /* RetentionCase, one for each row */
    int64_t now_s;
    const GPtrArray *names;   /* SessionName */
    RetentionRow **looked_at; /* by the first pass, at each name's place; NULL: no row */
    RetentionCase *found;
    GMutex lock;
    struct {
        GDate newest;
    } locked;
} Planning;

static void
row_free(void *data)
{
    RetentionRow *row = data;

    g_free(row->session);
    g_free(row->until);
    g_free(row->rule);
    g_free(row->table);
    g_free(row->noted_until);
    g_free(row->matters);
    g_free(row->reason);
    g_free(row->requested);
    g_free(row->approved);
    g_free(row->fault);
    g_free(row);
}

void
retention_plan_free(RetentionPlan *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->today);
    g_free(self->newest);
    g_ptr_array_unref(self->rows);
    gone_list_free(self->gone);
    g_free(self);
}

static void
take_later(GDate *newest, const GDate *day)
{
    if (g_date_valid(day) && (!g_date_valid(newest) || g_date_compare(day, newest) > 0))
        *newest = *day;
}

static void
see(Planning *self, const GDate *day)
{
    g_mutex_lock(&self->lock);
    take_later(&self->locked.newest, day);
    g_mutex_unlock(&self->lock);
}

/* Returns: the unix time of the recording's last moment; 0: it has none. */
static int64_t
end_of(const ManifestPart *manifest)
{
    int64_t anchor_us = 0;
    int64_t end_us = 0;

    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        anchor_us = MAX(anchor_us, track->anchor_unix_us);
        end_us = MAX(end_us, track->from_us);
    }
    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *row = manifest->segments->pdata[i];

        end_us = MAX(end_us, row->start_us + row->duration_us);
    }
    return anchor_us == 0 ? 0 : (anchor_us + end_us) / G_USEC_PER_SEC;
}

static unsigned
classes_of(const Planning *self, const ManifestPart *manifest, const AnnotationView *view)
{
    unsigned classes = 0;

    if (view->class_state != NULL) {
        classes |= strcmp(view->class_state, "minor") == 0 ? RETENTION_MINOR : RETENTION_ADULT;
    } else {
        classes |= RETENTION_ADULT | (self->settings->sees_minors ? RETENTION_MINOR : 0);
    }
    if (view->quarantine != NULL)
        classes |= RETENTION_QUARANTINE;
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (strcmp(track->kind, "text") == 0)
            classes |= RETENTION_TRANSCRIPT;
    }
    return classes;
}

/* Of what was noted and what the rules say now, the later counts. */
static GDate
compute_until(const Planning *self, RetentionRow *row, const ManifestPart *manifest,
              const AnnotationView *view)
{
    GDate noted = retention_day_parse(view->retain_until);
    RetentionFacts facts = {0};
    RetentionDate found;

    row->noted_until = g_strdup(view->retain_until);
    row->rule = g_strdup(view->retain_rule);
    row->table = g_strdup(view->retain_table);
    if (self->settings == NULL)
        return noted;
    facts.classes = classes_of(self, manifest, view);
    facts.end = retention_day_at(end_of(manifest), self->zone);
    facts.birth = retention_day_parse(view->class_date);
    found = retention_compute(&self->table, &facts);
    if (found.rule == NULL || (g_date_valid(&noted) && g_date_compare(&found.until, &noted) <= 0))
        return noted;
    g_free(row->rule);
    g_free(row->table);
    row->rule = g_strdup(found.rule->id);
    row->table = g_strdup(self->table.version);
    return found.until;
}

static void
fill_people(RetentionRow *row, const AnnotationView *view)
{
    const bool is_approved = view->approved_by != NULL;

    row->request = is_approved ? view->request : 0;
    row->requested = g_strdup(is_approved ? view->requested_by : NULL);
    row->approved = g_strdup(view->approved_by);
    row->reason = g_strdup(is_approved                ? view->request_reason
                           : view->erase_mark != NULL ? "consent-withdrawn"
                                                      : "retention");
    for (guint i = 0; i < view->matters->len; i++) {
        char *more = g_strdup_printf("%s%s%s", row->matters != NULL ? row->matters : "",
                                     i > 0 ? "," : "", (const char *) view->matters->pdata[i]);

        g_free(row->matters);
        row->matters = more;
    }
}

static void
fill(Planning *self, RetentionRow *row, RetentionCase *facts, Recording *recording,
     const AnnotationLog *log)
{
    const ManifestPart *manifest = recording_manifest(recording);
    const AnnotationView *view = log->view;
    const int64_t end_s = end_of(manifest);

    for (guint i = 0; i < log->annotations->len; i++) {
        const Annotation *annotation = log->annotations->pdata[i];
        const GDate day = retention_day_at(annotation->at_unix_s, self->zone);

        take_later(&facts->newest, &day);
    }
    if (end_s > 0) {
        const GDate day = retention_day_at(end_s, self->zone);

        take_later(&facts->newest, &day);
    }
    see(self, &facts->newest);
    fill_people(row, view);
    row->is_begun = view->is_erasing && (!view->is_erased || view->locked_until != NULL);
    row->begun_at_unix_s = view->begun_at_unix_s;
    row->is_busy = !view->is_erased && view->begun_at_unix_s > self->now_s - ANNOTATION_LEASE_S;
    facts->has_ended = manifest->number > 0 && manifest->state != SESSION_OPEN;
    facts->is_on_hold = view->matters->len > 0;
    facts->must_erase = view->approved_by != NULL || view->erase_mark != NULL;
    if (end_s > 0)
        facts->until = compute_until(self, row, manifest, view);
    row->until = row->is_begun ? g_strdup(view->locked_until) : retention_day_text(&facts->until);
}

/* Whether something of an erased recording lies there again: out of a backup, or put back by hand.
 */
static bool
is_undone(const Recording *recording, const AnnotationView *view)
{
    return view->is_erased && view->locked_until == NULL && !recording_is_bare(recording);
}

/* Whether there is no row of it: its erasure has ended, and nothing of it is left. */
static bool
is_gone(Recording *recording, const AnnotationView *view, const RetentionRow *row)
{
    return view->is_erased && view->locked_until == NULL &&
           recording_manifest(recording)->number == 0 && !row->is_begun;
}

/* Looks in full: fills the row and the case at `place`, which are no other's. `keys`: what lay
 * there before, of one whose erasure was ordered; else NULL. */
static void
look_in_full(Planning *self, guint place, const char *session, const GPtrArray *keys)
{
    RetentionRow *row = g_new0(RetentionRow, 1);
    RetentionCase facts = {0};
    bool is_row = true;
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;
    g_autoptr(Recording) recording =
        custody_open_recording(self->custody, self->plan->org, session, &log, &error);

    g_date_clear(&facts.until, 1);
    g_date_clear(&facts.newest, 1);
    row->session = g_strdup(session);
    if (recording == NULL) {
        row->fault = g_strdup(error->message);
    } else {
        fill(self, row, &facts, recording, log);
        if (is_undone(recording, log->view)) {
            row->is_begun = true;
            g_clear_pointer(&row->until, g_free);
        }
        is_row = !is_gone(recording, log->view, row);
    }
    if (!is_row) {
        if (keys != NULL)
            gone_list_note(self->plan->gone, session, keys, self->now_s, &facts.newest);
        row_free(row);
        return;
    }
    self->looked_at[place] = row;
    self->found[place] = facts;
}

static bool
look_at(void *user_data, guint place, const char *session, GError **unused)
{
    Planning *self = user_data;
    const SessionName *name = self->names->pdata[place];
    g_autofree char *prefix = object_key_join(self->plan->org, session, "");
    g_autoptr(GPtrArray) keys =
        name->has_erasure ? object_store_list(self->custody->store, prefix, NULL) : NULL;
    GDate newest;

    if (keys != NULL && gone_list_knows(self->plan->gone, session, keys, self->now_s, &newest)) {
        see(self, &newest);
    } else {
        look_in_full(self, place, session, keys); /* and says what fails */
    }
    return true;
}

/* The first pass. */
static bool
look_at_all(Planning *self, const GPtrArray *names, GError **error)
{
    const SessionWalk walk = {.n_threads = LOOKS_AT_ONCE, .visit = look_at, .user_data = self};
    g_autofree RetentionRow **looked_at = g_new0(RetentionRow *, names->len + 1);
    g_autofree RetentionCase *found = g_new0(RetentionCase, names->len + 1);
    bool is_whole = false;

    self->names = names;
    self->looked_at = looked_at;
    self->found = found;
    g_mutex_init(&self->lock);
    is_whole = session_walk(&walk, names, error);
    g_mutex_clear(&self->lock);
    for (guint i = 0; i < names->len; i++) {
        if (looked_at[i] != NULL) {
            g_ptr_array_add(self->plan->rows, looked_at[i]);
            g_array_append_val(self->cases, found[i]);
        }
    }
    return is_whole;
}

static void
judge_all(Planning *self, bool trusts_clock)
{
    const GDate today = retention_day_at(self->now_s, self->zone);

    for (guint i = 0; i < self->plan->rows->len; i++) {
        RetentionRow *row = self->plan->rows->pdata[i];
        RetentionCase *facts = &g_array_index(self->cases, RetentionCase, i);

        facts->today = today;
        facts->newest = self->locked.newest;
        facts->n_lead_days = self->settings != NULL ? self->settings->clock_lead_days : 31;
        if (trusts_clock)
            g_date_clear(&facts->newest, 1);
        row->verdict = retention_judge(facts);
    }
    self->plan->today = retention_day_text(&today);
    self->plan->newest = retention_day_text(&self->locked.newest);
}

/* Returns: false with `error` set where a rule makes no sense. */
static bool
parse_rules(const RetentionSettings *settings, const char *org, GPtrArray *ids, GArray *rules,
            GError **error)
{
    for (guint i = 0; settings != NULL && i < settings->rules->len; i++) {
        RetentionRule rule;
        char *id = NULL;

        if (!retention_rule_parse(settings->rules->pdata[i], &rule, &id)) {
            g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                        "organisation %s: the rule of retention `%s` makes no sense: at most 100 "
                        "years, 36500 days, age 100",
                        org, (const char *) settings->rules->pdata[i]);
            return false;
        }
        g_ptr_array_add(ids, id);
        g_array_append_val(rules, rule);
    }
    return true;
}

RetentionSettings *
retention_plan_settings(const Settings *settings, const char *org, GError **error)
{
    g_autoptr(RetentionSettings) found = retention_settings_load(settings->orgs_path, org, error);
    g_autoptr(GArray) rules = g_array_new(false, true, sizeof(RetentionRule));
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    return parse_rules(found, org, ids, rules, error) ? g_steal_pointer(&found) : NULL;
}

static bool
read_rules(Planning *self, GPtrArray *ids, GArray *rules, GError **error)
{
    if (!parse_rules(self->settings, self->plan->org, ids, rules, error))
        return false;
    self->table = (RetentionTable){self->settings != NULL ? self->settings->table : "-",
                                   (const RetentionRule *) rules->data, rules->len};
    return true;
}

RetentionPlan *
retention_plan_make(const Custody *custody, const char *org, const RetentionSettings *settings,
                    bool trusts_clock, GError **error)
{
    g_autoptr(RetentionPlan) plan = g_new0(RetentionPlan, 1);
    g_autoptr(GTimeZone) zone =
        settings != NULL ? g_time_zone_new_identifier(settings->time_zone) : g_time_zone_new_utc();
    g_autoptr(GArray) cases = g_array_new(false, true, sizeof(RetentionCase));
    g_autoptr(GArray) rules = g_array_new(false, true, sizeof(RetentionRule));
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) names = NULL;
    Planning self = {.custody = custody,
                     .plan = plan,
                     .settings = settings,
                     .zone = zone,
                     .cases = cases,
                     .now_s = g_get_real_time() / G_USEC_PER_SEC};

    plan->org = g_strdup(org);
    plan->rows = g_ptr_array_new_with_free_func(row_free);
    plan->gone = gone_list_read(custody->settings->keys->ledger_path, org);
    g_date_clear(&self.locked.newest, 1);
    if (!read_rules(&self, ids, rules, error))
        return NULL;
    names = session_list_names(custody->store, org, error);
    if (names == NULL || !look_at_all(&self, names, error))
        return NULL;
    judge_all(&self, trusts_clock);
    return g_steal_pointer(&plan);
}
