#include "agent/opener/opener.h"

#include "agent/audit/pseudonym.h"
#include "agent/opener/access_record.h"
#include "agent/opener/access_stream.h"
#include "agent/opener/grant_watch.h"
#include "agent/playback/identity_files.h"
#include "agent/store/configured_store.h"
#include "agent/store/trusted_recorders.h"
#include "config/key_file.h"
#include "config/region_rule.h"

#include <string.h>

#define TICK_MS 1000

static Secret *
on_passphrase(const char *path, void *user_data, GError **error)
{
    const AccessSettings *access = user_data;
    g_autoptr(Secret) text = NULL;
    size_t length = 0;

    if (access->passphrase_path == NULL) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "it is sealed to a passphrase: access.passphrase_file must name its file");
        return NULL;
    }
    text = key_file_read(access->passphrase_path, error);
    if (text == NULL)
        return NULL;
    /* An editor ends the line. */
    length = secret_length(text);
    while (length > 1 &&
           (secret_peek(text)[length - 1] == '\n' || secret_peek(text)[length - 1] == '\r'))
        length--;
    secret_truncate(text, length);
    return g_steal_pointer(&text);
}

static NoteSigner *
read_signer(const char *path, GError **error)
{
    g_autoptr(Secret) text = key_file_read(path, error);
    NoteSigner *signer = text == NULL ? NULL : note_signer_parse(text, error);

    if (signer == NULL)
        g_prefix_error(error, "access.signing_key: %s: ", path);
    return signer;
}

/* Returns: false sets `error`; none is set where the settings name none. */
static bool
read_pseudonym_key(Opener *self, GError **error)
{
    const char *path = self->settings->audit->pseudonym_key_path;
    g_autoptr(Secret) text = NULL;

    if (path == NULL) {
        g_warning("audit.pseudonym_key is not set: a client's disclosures will not be found in the "
                  "audit log");
        return true;
    }
    text = key_file_read(path, error);
    if (text != NULL)
        self->pseudonym_key = pseudonym_key_parse(text, error);
    if (self->pseudonym_key == NULL)
        g_prefix_error(error, "audit.pseudonym_key: %s: ", path);
    self->source.pseudonym_key = self->pseudonym_key;
    return self->pseudonym_key != NULL;
}

/* With credentials of the opener's own, which may get where the recorder's may put. */
static ObjectStore *
open_store(const Settings *settings, GError **error)
{
    StoreSettings store = settings->store; /* borrows all it points to */

    if (settings->access->store_credentials != NULL)
        store.credentials = settings->access->store_credentials;
    return configured_store_open(&store, error);
}

static void
on_grant_ended(Grant *grant, void *user_data)
{
    Opener *self = user_data;
    g_autofree char *tracks = NULL;
    AuditEvent event = access_record_of_grant(
        grant->review != NULL ? AUDIT_BREAK_GLASS_ENDED : AUDIT_GRANT_ENDED, grant, &tracks);

    /* its holder may give it back: nobody took it away then */
    const bool is_taken_away =
        grant->state == GRANT_REVOKED && !g_str_equal(grant->reason, "returned");

    event.reason = grant->reason;
    event.outcome = is_taken_away ? AUDIT_REFUSED : AUDIT_OK;
    audit_trail_note(self->audit, grant->caller->org, &event);
    self->counts.n_revoked += is_taken_away ? 1 : 0;
    g_message("grant %.8s: %s (%s)", grant->id, grant_state_text(grant->state), grant->reason);
    access_stream_stop_all(self, grant);
}

static void
on_streaming(Grant *grant, void *user_data)
{
    grant_watch_look(user_data, grant);
}

static gboolean
on_tick(gpointer user_data)
{
    Opener *self = user_data;
    const int64_t now_us = g_get_monotonic_time();

    access_stream_tick(self, now_us);
    grant_table_tick(self->grants, now_us);
    grant_table_each_streaming(self->grants, on_streaming, self);
    return G_SOURCE_CONTINUE;
}

static bool
open_source(Opener *self, GError **error)
{
    const AccessSettings *access = self->settings->access;

    self->source.identities = identity_files_read((const char *const *) access->identity_paths,
                                                  on_passphrase, (void *) access, error);
    if (self->source.identities == NULL) {
        g_prefix_error(error, "access.identities: ");
        return false;
    }
    self->source.recorders = trusted_recorders(self->settings, error);
    if (self->source.recorders == NULL)
        return false;
    self->source.annotators = trusted_annotators(self->settings, error);
    if (self->source.annotators == NULL)
        return false;
    self->source.settings = self->settings;
    self->source.place = &self->settings->store;
    self->source.store = self->store = open_store(self->settings, error);
    return self->store != NULL;
}

Opener *
opener_new(Settings *settings, GError **error)
{
    g_autoptr(Opener) self = g_new0(Opener, 1);
    const AccessSettings *access = settings->access;

    self->shelf = settings_shelf_new(settings);
    self->settings = settings_shelf_current(self->shelf);
    self->review_path = access->state_path;
    self->streams = g_ptr_array_new();
    self->signer = read_signer(access->signing_key_path, error);
    if (self->signer == NULL || !read_pseudonym_key(self, error) || !open_source(self, error))
        return NULL;
    self->audit = audit_trail_new(&(AuditTrailOptions){.folder = access->audit_path,
                                                       .orgs = settings->orgs,
                                                       .store = self->store,
                                                       .signer = self->signer,
                                                       .receiver = settings->audit->syslog,
                                                       .started = AUDIT_OPENER_STARTED,
                                                       .stopped = AUDIT_OPENER_STOPPED});
    self->grants = grant_table_new(access->max_grants, on_grant_ended, self);
    self->key_sets = key_sets_new();
    self->rates = person_rates_new(access->person_per_minute);
    self->tick = g_timeout_add(TICK_MS, on_tick, self);
    return g_steal_pointer(&self);
}

bool
opener_reload(Opener *self, GError **error)
{
    Settings *settings = settings_load(self->settings->path, error);

    if (settings == NULL)
        return false;
    if (settings->access == NULL) {
        settings_free(settings);
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "%s: access: is missing",
                    self->settings->path);
        return false;
    }
    region_rule_pass_on(self->settings, settings);
    settings_shelf_put(self->shelf, settings);
    self->settings = settings_shelf_current(self->shelf);
    return true;
}

void
opener_stop(Opener *self)
{
    self->is_stopping = true;
    grant_table_revoke_all(self->grants, "stopping");
}

bool
opener_is_idle(const Opener *self)
{
    return self->n_asks == 0 && self->streams->len == 0;
}

void
opener_free(Opener *self)
{
    if (self == NULL)
        return;
    if (self->tick != 0)
        g_source_remove(self->tick);
    audit_trail_free(self->audit);
    grant_table_free(self->grants);
    person_rates_free(self->rates);
    key_sets_free(self->key_sets);
    g_clear_pointer(&self->streams, g_ptr_array_unref);
    g_clear_pointer(&self->source.identities, g_ptr_array_unref);
    g_clear_pointer(&self->source.recorders, g_ptr_array_unref);
    g_clear_pointer(&self->source.annotators, g_ptr_array_unref);
    object_store_free(self->store);
    secret_free(self->pseudonym_key);
    note_signer_free(self->signer);
    settings_shelf_free(self->shelf);
    g_free(self);
}
