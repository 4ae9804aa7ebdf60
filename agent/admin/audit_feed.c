#include "agent/admin/audit_feed.h"

#include "agent/trail/audit_journal.h"

enum { BATCH_RECORDS = 1000 };

static const SyslogSettings *
receiver_of(const Settings *settings, GError **error)
{
    if (settings->audit->syslog != NULL)
        return settings->audit->syslog;
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                "%s: audit.syslog is not set, so there is nobody to send audit messages to",
                settings->path);
    return NULL;
}

static AuditDelivery *
queue(CommandContext *context, GError **error)
{
    const Settings *settings = command_context_settings(context, error);
    const SyslogSettings *receiver = settings != NULL ? receiver_of(settings, error) : NULL;
    g_autoptr(AuditJournal) journal =
        receiver != NULL ? audit_journal_new(settings, NULL, error) : NULL;
    g_autoptr(AuditDelivery) delivery = NULL;

    if (journal == NULL)
        return NULL;
    delivery = audit_delivery_new(receiver);
    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *org = settings->orgs->pdata[i];

        if (!audit_journal_queue(journal, org->id, delivery, error))
            return NULL;
    }
    return g_steal_pointer(&delivery);
}

static bool
send_all(AuditDelivery *delivery, uint64_t *n_all, GError **error)
{
    uint64_t n_sent = 0;

    do {
        if (!audit_delivery_run(delivery, BATCH_RECORDS, NULL, &n_sent, error))
            return false;
        *n_all += n_sent;
    } while (n_sent > 0);
    return true;
}

int
audit_feed_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "audit forward",
        "",
        "Sends what the command line has noted, and not sent before, to the receiver of audit\n"
        "messages (audit.syslog). Each command sends its own at its end, if the receiver is there.",
        NULL,
        0,
        0,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(AuditDelivery) delivery = NULL;
    uint64_t n_sent = 0;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    delivery = queue(context, &error);
    if (delivery == NULL || !send_all(delivery, &n_sent, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:I, s:I}", "sent", (json_int_t) n_sent, "waiting",
                                             (json_int_t) audit_delivery_waiting(delivery)));
    } else {
        g_print("%" G_GUINT64_FORMAT " records sent.\n", n_sent);
    }
    return audit_delivery_waiting(delivery) == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}
