#include "storage/due_file.h"

#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define FORMAT                                                                                     \
    "sealtape-due/v1\nat %" PRId64 "\ndue %" PRIu64 "\nlocked %" PRIu64 "\nheld %" PRIu64          \
    "\nfailed %" PRIu64 "\n"

enum { FOLDER_MODE = 0755, FILE_MODE = 0644 };

static char *
to_text(const DueFile *due)
{
    return g_strdup_printf(FORMAT, due->at_unix_s, due->n_due, due->n_locked, due->n_held,
                           due->n_failed);
}

bool
due_file_write(const char *ledger, const char *org, const DueFile *due, GError **error)
{
    g_autofree char *name = g_strconcat(org, ".due", NULL);
    char *text = to_text(due);
    g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));
    g_auto(Fd) folder = -1;

    if (g_mkdir_with_parents(ledger, FOLDER_MODE) < 0)
        return storage_fail_errno(error, "make", ledger);
    folder = open(ledger, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return storage_fail_errno(error, "open", ledger);
    /* Numbers alone: the recorder, which is another account, tells them as metrics. */
    return durable_file_replace(folder, name, bytes, error) &&
           (fchmodat(folder, name, FILE_MODE, 0) == 0 || storage_fail_errno(error, "show", name));
}

/* Returns: the number behind `<word> ` at the start of a line; -1: there is none. */
static int64_t
number_of(const char *text, const char *word)
{
    g_autofree char *key = g_strdup_printf("\n%s ", word);
    const char *found = strstr(text, key);

    return found != NULL ? g_ascii_strtoll(found + strlen(key), NULL, 10) : -1;
}

bool
due_file_read(const char *ledger, const char *org, DueFile *due)
{
    g_autofree char *name = g_strconcat(org, ".due", NULL);
    g_autofree char *path = g_build_filename(ledger, name, NULL);
    g_autofree char *text = NULL;
    g_autofree char *again = NULL;

    *due = (DueFile){0};
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    *due = (DueFile){
        .at_unix_s = number_of(text, "at"),
        .n_due = (uint64_t) number_of(text, "due"),
        .n_locked = (uint64_t) number_of(text, "locked"),
        .n_held = (uint64_t) number_of(text, "held"),
        .n_failed = (uint64_t) number_of(text, "failed"),
    };
    /* Written by nobody else: what does not read back the same is none. */
    again = to_text(due);
    if (strcmp(again, text) == 0)
        return true;
    *due = (DueFile){0};
    return false;
}
