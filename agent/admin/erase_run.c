#include "agent/admin/erase_run.h"

#include "crypto/age_context.h"
#include "storage/catalogue_build.h"
#include "storage/durable_file.h"
#include "storage/erasure_note.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns: owned. */
static char *
ledger_folder(const Custody *custody, const char *org)
{
    return g_build_filename(custody->settings->keys->ledger_path, org, NULL);
}

/* Keeps all notes of `order` as `<session>.<n>.note`. */
static bool
keep(const Custody *custody, const ErasureOrder *order, GError **error)
{
    g_autofree char *path = ledger_folder(custody, order->org);
    g_autoptr(GPtrArray) notes = NULL;
    g_autoptr(GPtrArray) read = erasure_read_notes(order, &notes, error);
    g_auto(Fd) folder = -1;

    if (read == NULL)
        return false;
    if (g_mkdir_with_parents(path, 0750) < 0)
        return storage_fail_errno(error, "make", path);
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return storage_fail_errno(error, "open", path);
    for (guint i = 0; i < notes->len; i++) {
        g_autofree char *name = g_strdup_printf("%s.%u.note", order->session, i + 1);

        if (!durable_file_replace(folder, name, notes->pdata[i], error))
            return false;
    }
    return true;
}

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
    return keep(custody, order, error) &&
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

/* `<session>.<n>.note`. Returns: false for any other name. */
static bool
read_name(const char *name, char **session, uint32_t *number)
{
    const char *end = g_str_has_suffix(name, ".note") ? name + strlen(name) - 5 : NULL;
    const char *dot = end != NULL ? g_strrstr_len(name, end - name, ".") : NULL;

    if (dot == NULL)
        return false;
    *session = g_strndup(name, (gsize) (dot - name));
    *number = (uint32_t) g_ascii_strtoull(dot + 1, NULL, 10);
    return *number > 0 && age_context_id_is_valid(*session);
}

static bool
put_back(const Custody *custody, const char *org, const char *path, unsigned *n_restored,
         GError **error)
{
    g_autofree char *session = NULL;
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *key = NULL;
    char *bytes = NULL;
    gsize n_bytes = 0;
    uint32_t number = 0;
    g_autoptr(GBytes) body = NULL;
    g_autoptr(GBytes) there = NULL;

    if (!read_name(name, &session, &number))
        return true;
    key = erasure_note_key(org, session, number);
    there = object_store_get(custody->store, key, NULL);
    if (there != NULL)
        return true;
    if (!g_file_get_contents(path, &bytes, &n_bytes, error))
        return false;
    body = g_bytes_new_take(bytes, n_bytes);
    ++*n_restored;
    return object_store_put(custody->store, key, body, error);
}

bool
erase_run_replay(const Custody *custody, const char *org, unsigned *n_restored, GError **error)
{
    g_autofree char *folder = ledger_folder(custody, org);
    g_autoptr(GDir) ledger = g_dir_open(folder, 0, NULL);
    const char *name = ledger != NULL ? g_dir_read_name(ledger) : NULL;

    for (; name != NULL; name = g_dir_read_name(ledger)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (!put_back(custody, org, path, n_restored, error)) {
            g_prefix_error(error, "the ledger of what was erased, %s: ", folder);
            return false;
        }
    }
    return true;
}
