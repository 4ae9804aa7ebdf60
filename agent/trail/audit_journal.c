#include "agent/trail/audit_journal.h"

#include "config/key_file.h"
#include "crypto/signed_note.h"
#include "storage/audit_log.h"

#include <unistd.h>

enum { WAIT_MS = 10000, MOST_SEND_MS = 2000, MOST_SEND_RECORDS = 1000 };

struct AuditJournal {
    char *folder;
    char *actor;
    ObjectStore *store;
    NoteSigner *signer;
    const SyslogSettings *receiver; /* NULL: none */
    GHashTable *orgs;               /* char *: whose logs were written */
    GHashTable *anchors; /* key of an object -> GBytes: the last checkpoint of each log */
};

static NoteSigner *
read_signer(const Settings *settings, GError **error)
{
    const char *path = settings->keys->signing_key_path;
    g_autoptr(Secret) text = NULL;
    NoteSigner *signer = NULL;

    if (path == NULL) {
        g_set_error(
            error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
            "%s: keys.signing_key is missing, so nobody could be told of this: make one with "
            "`sealtape audit keygen admin FOLDER`, and name it there",
            settings->path);
        return NULL;
    }
    text = key_file_read(path, error);
    if (text == NULL)
        return NULL;
    signer = note_signer_parse(text, error);
    if (signer == NULL)
        g_prefix_error(error, "%s: ", path);
    return signer;
}

/* By user, not by what the environment says. */
static char *
make_actor(void)
{
    const char *name = g_get_user_name();

    return geteuid() == getuid() && name != NULL ? g_strdup_printf("unix:%s", name)
                                                 : g_strdup_printf("unix:%u", (unsigned) getuid());
}

AuditJournal *
audit_journal_new(const Settings *settings, ObjectStore *store, GError **error)
{
    NoteSigner *signer = read_signer(settings, error);
    AuditJournal *self = NULL;

    if (signer == NULL)
        return NULL;
    self = g_new0(AuditJournal, 1);
    self->folder = g_strdup(settings->keys->audit_path);
    self->actor = make_actor();
    self->store = store;
    self->signer = signer;
    self->receiver = settings->audit->syslog;
    self->orgs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->anchors =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
    return self;
}

const char *
audit_journal_actor(const AuditJournal *self)
{
    return self->actor;
}

static void
keep_checkpoint(AuditJournal *self, const char *org, AuditLog *log)
{
    uint64_t n_records = 0;
    GBytes *note = audit_log_checkpoint(log, &n_records);

    if (note == NULL)
        return;
    g_hash_table_insert(self->anchors,
                        g_strdup_printf("%s/audit/%s/%" G_GUINT64_FORMAT ".note", org,
                                        audit_log_file_word(log), n_records),
                        note);
}

bool
audit_journal_write(AuditJournal *self, const char *org, const AuditEvent *event, GError **error)
{
    const AuditLogOptions place = {self->folder, org, self->signer, WAIT_MS};
    g_autoptr(AuditLog) log = audit_log_open(&place, error);
    AuditEvent told = *event;
    g_autofree char *words = NULL;

    if (told.actor == NULL)
        told.actor = self->actor;
    words = audit_event_words(&told);
    if (log == NULL || !audit_log_append(log, words, error) || !audit_log_sign(log, error)) {
        g_prefix_error(error, "this can not be audited, and is not done: ");
        return false;
    }
    keep_checkpoint(self, org, log);
    (void) g_hash_table_add(self->orgs, g_strdup(org));
    return true;
}

bool
audit_journal_queue(AuditJournal *self, const char *org, AuditDelivery *delivery, GError **error)
{
    const AuditLogOptions place = {self->folder, org, self->signer, WAIT_MS};
    g_autoptr(AuditLog) log = audit_log_open(&place, error);

    /* Opened, so that a line that another command is about to make durable is not taken for one. */
    return log != NULL &&
           audit_delivery_add(delivery,
                              &(AuditDeliveryLog){self->folder, org, audit_log_file_word(log), NULL,
                                                  audit_log_length(log)},
                              error);
}

static void
anchor(AuditJournal *self)
{
    GHashTableIter iter;
    gpointer key = NULL;
    gpointer note = NULL;

    g_hash_table_iter_init(&iter, self->anchors);
    while (self->store != NULL && g_hash_table_iter_next(&iter, &key, &note)) {
        g_autoptr(GError) error = NULL;

        if (!object_store_put(self->store, key, note, &error))
            g_message("the audit log's checkpoint is not in the store yet: %s", error->message);
    }
}

/* A receiver that is away gets it another time: no command waits long for it. */
static void
send_on(AuditJournal *self)
{
    g_autoptr(AuditDelivery) delivery = NULL;
    g_autoptr(GError) error = NULL;
    SyslogSettings receiver = {0};
    GHashTableIter iter;
    gpointer org = NULL;
    uint64_t n_sent = 0;
    bool is_queued = true;

    if (self->receiver == NULL || g_hash_table_size(self->orgs) == 0)
        return;
    receiver = *self->receiver;
    receiver.timeout_ms = MIN(receiver.timeout_ms, MOST_SEND_MS);
    delivery = audit_delivery_new(&receiver);
    g_hash_table_iter_init(&iter, self->orgs);
    while (is_queued && g_hash_table_iter_next(&iter, &org, NULL))
        is_queued = audit_journal_queue(self, org, delivery, &error);
    if (!is_queued || !audit_delivery_run(delivery, MOST_SEND_RECORDS, NULL, &n_sent, &error))
        g_message("audit messages wait for the next command: %s", error->message);
}

void
audit_journal_free(AuditJournal *self)
{
    if (self == NULL)
        return;
    anchor(self);
    send_on(self);
    g_hash_table_unref(self->orgs);
    g_hash_table_unref(self->anchors);
    note_signer_free(self->signer);
    g_free(self->actor);
    g_free(self->folder);
    g_free(self);
}
