#include "agent/recorder/recorder_reload.h"

#include "agent/recorder/session_rules.h"
#include "agent/trail/policy_shelf.h"

#include <glib-unix.h>
#include <signal.h>

/* Digests by organisation, as they were before. */
static GHashTable *
digests_of(const GPtrArray *orgs)
{
    GHashTable *digests = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < orgs->len; i++) {
        const OrgSettings *org = orgs->pdata[i];

        g_hash_table_insert(digests, org->id, org->digest);
    }
    return digests;
}

static void
tell_changed(const RecorderReload *self, GHashTable *before)
{
    const GPtrArray *orgs = org_book_list(self->orgs);

    for (guint i = 0; i < orgs->len; i++) {
        const OrgSettings *org = orgs->pdata[i];
        const char *old = g_hash_table_lookup(before, org->id);

        if (g_strcmp0(old, org->digest) == 0)
            continue;
        g_message("%s: the settings with the digest %s are in force", org->id, org->digest);
        audit_trail_note(self->audit, org->id,
                         &(AuditEvent){.kind = AUDIT_SETTINGS_LOADED, .policy = org->digest});
        if (settings_org(self->settings, org->id) == NULL) {
            g_warning("%s: has no audit log until the recorder is started again, and records "
                      "nothing before that",
                      org->id);
        }
    }
}

static void
tell_failed(const RecorderReload *self)
{
    const GPtrArray *orgs = org_book_list(self->orgs);

    for (guint i = 0; i < orgs->len; i++) {
        const OrgSettings *org = orgs->pdata[i];

        audit_trail_note_bounded(self->audit, org->id,
                                 &(AuditEvent){.kind = AUDIT_SETTINGS_LOADED,
                                               .outcome = AUDIT_FAILED,
                                               .policy = org->digest,
                                               .reason = "settings-kept"});
    }
}

static void
ask_again(const RecorderReload *self)
{
    g_autoptr(GPtrArray) sessions = session_table_list(self->sessions);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < sessions->len; i++)
        session_take_rules(sessions->pdata[i]);
    if (!spool_commit(self->spool, &error))
        g_warning("the new decisions are not yet durable: %s", error->message);
    for (guint i = 0; i < sessions->len; i++) {
        if (session_is_open(sessions->pdata[i]))
            session_go_on(sessions->pdata[i]);
    }
}

/* A disk that is full must not keep rules from counting: what is forbidden now is. */
static void
keep(const Settings *settings, const GPtrArray *orgs)
{
    g_autoptr(GError) error = NULL;

    if (!policy_shelf_keep(settings->audit_path, orgs, &error))
        g_warning("%s", error->message);
}

bool
recorder_reload_run(const RecorderReload *self, GError **error)
{
    g_autoptr(GHashTable) before = digests_of(org_book_list(self->orgs));

    if (!org_book_reload(self->orgs, error)) {
        tell_failed(self);
        return false;
    }
    keep(self->settings, org_book_list(self->orgs));
    tell_changed(self, before);
    ask_again(self);
    return true;
}

static gboolean
on_signal(gpointer data)
{
    g_autoptr(GError) error = NULL;

    if (recorder_reload_run(data, &error)) {
        g_message("the organisations' settings are read again");
    } else {
        g_warning("the organisations' settings stay as they were: %s", error->message);
    }
    return G_SOURCE_CONTINUE;
}

void
recorder_reload_start(RecorderReload *self)
{
    keep(self->settings, self->settings->orgs);
    self->source = g_unix_signal_add(SIGHUP, on_signal, self);
}

void
recorder_reload_stop(RecorderReload *self)
{
    if (self->source != 0)
        g_source_remove(self->source);
    self->source = 0;
}
