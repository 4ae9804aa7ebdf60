#include "agent/admin/erase_run.h"

#include "agent/admin/erasure_ledger.h"
#include "storage/catalogue_build.h"
#include "storage/storage_error.h"

static AuditEvent
event_of(const ErasureOrder *order, AuditKind kind)
{
    return (AuditEvent){
        .kind = kind,
        .session = order->session,
        .reason = order->reason,
        .rule = order->rule,
        .approver = order->approved,
    };
}

void
erase_run_tell_catalogue(const Custody *custody, const char *org)
{
    const CatalogueSource source = {.store = custody->store,
                                    .verifiers = custody->recorders,
                                    .annotators = custody->annotators};
    const char *path = custody->settings->catalogue_path;
    g_autoptr(GError) error = NULL;
    g_autoptr(Catalogue) catalogue = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    catalogue = catalogue_open(path, CATALOGUE_WRITE, &error);
    if (catalogue == NULL || !catalogue_update_erased(catalogue, &source, org, &error)) {
        g_printerr("sealtape: the catalogue does not know yet what was erased (%s): `sealtape "
                   "catalogue rebuild` tells it\n",
                   error->message);
    }
}

bool
erase_run(const Custody *custody, const ErasureOrder *order, ErasureResult *result, GError **error)
{
    AuditEvent event =
        event_of(order, order->request != 0 ? AUDIT_ERASURE_APPROVED : AUDIT_DELETED);
    GError *fault = NULL;

    event.detail = "begins";
    if (!audit_journal_write(custody->journal, order->org, &event, error))
        return false;
    event = event_of(order, AUDIT_ERASED);
    if (!erasure_run(order, result, &fault)) {
        event.outcome = g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_DENIED) ||
                                g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_BUSY)
                            ? AUDIT_REFUSED
                            : AUDIT_FAILED;
        (void) !audit_journal_write(custody->journal, order->org, &event, NULL); /* `fault` says */
        g_propagate_error(error, fault);
        return false;
    }
    event.certificate = result->certificate;
    event.until = result->until;
    event.count = result->n_removed;
    return erasure_ledger_keep(custody, order, error) &&
           audit_journal_write(custody->journal, order->org, &event, error);
}

void
erase_run_print(CommandContext *context, const char *session, const ErasureResult *result)
{
    if (command_context_as_json(context)) {
        command_context_print_json(
            json_pack("{s:s, s:s, s:s?, s:i, s:i, s:I, s:s}", "session", session, "result",
                      result->until != NULL ? "pending" : "erased", "until", result->until,
                      "removed", (int) result->n_removed, "locked", (int) result->n_locked, "bytes",
                      (json_int_t) result->n_bytes, "certificate", result->certificate));
    } else if (result->until != NULL) {
        g_print("%s: erased by key, bytes locked until %s; pending until %s.\n", session,
                result->until, result->until);
    } else {
        g_print("%s: erased.\n", session);
    }
}
