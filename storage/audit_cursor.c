#include "storage/audit_cursor.h"

#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file is one line, `sealtape-audit-cursor/v1 <records> <bytes>`: so many records, which are so
 * many bytes of the log, are dealt with. The lock is a file of its own, for the place is replaced
 * whole each time it is kept. */

#define FORM "sealtape-audit-cursor/v1"

enum { FIRST_READ_BYTES = 4096, MOST_LINE_BYTES = 1 << 16, MOST_PLACE_BYTES = 128 };

typedef struct {
    uint64_t n_records;
    uint64_t n_bytes;
} Place;

struct AuditCursor {
    char *name, *log_name; /* of files; the name as messages have it */
    Fd folder, lock, log;  /* the log: -1 until there is one */
    Place here, kept;
    GMutex mutex; /* over `kept.n_records`, which others ask for */
};

static bool
fail_place(const AuditCursor *self, GError **error, const char *why)
{
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "%s: %s; if that log is as it should be, remove this file, and all of the log is "
                "read again",
                self->name, why);
    return false;
}

static bool
parse_place(const char *text, Place *place)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    return g_strv_length(words) == 3 && strcmp(words[0], FORM) == 0 &&
           g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXINT64, &place->n_records, NULL) &&
           g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXINT64, &place->n_bytes, NULL);
}

static bool
read_place(AuditCursor *self, GError **error)
{
    g_auto(Fd) file = openat(self->folder, self->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char text[MOST_PLACE_BYTES + 1] = "";
    ssize_t n = 0;

    if (file < 0 && errno == ENOENT)
        return true;
    if (file < 0)
        return storage_fail_errno(error, "open", self->name);
    n = read(file, text, MOST_PLACE_BYTES);
    if (n < 0)
        return storage_fail_errno(error, "read", self->name);
    if (n == 0 || text[n - 1] != '\n')
        return fail_place(self, error, "is not a whole line");
    text[n - 1] = '\0';
    if (!parse_place(text, &self->kept))
        return fail_place(self, error, "says no place in a log");
    return true;
}

/* A log that is not there yet is empty. */
static bool
open_log(AuditCursor *self, GError **error)
{
    if (self->log >= 0)
        return true;
    self->log = openat(self->folder, self->log_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (self->log < 0 && errno != ENOENT)
        return storage_fail_errno(error, "open", self->log_name);
    return true;
}

/* The byte before the place ends a line, and there is no log that is shorter. */
static bool
check_place(AuditCursor *self, GError **error)
{
    char last = '\n';

    if (!open_log(self, error))
        return false;
    if (self->kept.n_bytes == 0) {
        return self->kept.n_records == 0 ||
               fail_place(self, error, "counts records that have no bytes");
    }
    if (self->log >= 0 && pread(self->log, &last, 1, (off_t) self->kept.n_bytes - 1) == 1 &&
        last == '\n')
        return true;
    return fail_place(self, error, "is past the end of the log, or inside one of its records");
}

static bool
take_lock(AuditCursor *self, GError **error)
{
    g_autofree char *name = g_strconcat(self->name, ".lock", NULL);

    self->lock = openat(self->folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (self->lock < 0)
        return storage_fail_errno(error, "open", name);
    if (flock(self->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_BUSY, "%s: another process is at it",
                self->name);
    return false;
}

AuditCursor *
audit_cursor_open(const AuditCursorPlace *place, GError **error)
{
    g_autoptr(AuditCursor) self = g_new0(AuditCursor, 1);
    g_autofree char *path = g_build_filename(place->folder, place->org, NULL);

    self->folder = self->lock = self->log = -1;
    g_mutex_init(&self->mutex);
    self->name = g_strdup_printf("%s.%s", place->origin, place->reader);
    self->log_name = g_strconcat(place->origin, ".log", NULL);
    self->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->folder < 0) {
        (void) storage_fail_errno(error, "open", path);
        return NULL;
    }
    if (!take_lock(self, error) || !read_place(self, error) || !check_place(self, error))
        return NULL;
    self->here = self->kept;
    return g_steal_pointer(&self);
}

/* Whether `line` is the record of this number. */
static bool
is_numbered(const char *line, uint64_t number)
{
    char *end = NULL;

    return g_ascii_isdigit(line[0]) && g_ascii_strtoull(line, &end, 10) == number && *end == ' ';
}

/* Returns: the line that begins at `offset`, owned; NULL if its end is not there, or sets `error`.
 */
static char *
read_line(const AuditCursor *self, off_t offset, size_t *n_bytes, GError **error)
{
    for (size_t room = FIRST_READ_BYTES; room <= MOST_LINE_BYTES; room *= 4) {
        g_autofree char *line = g_malloc(room + 1);
        const ssize_t n = pread(self->log, line, room, offset);
        const char *end = NULL;

        if (n < 0) {
            (void) storage_fail_errno(error, "read", self->log_name);
            return NULL;
        }
        end = memchr(line, '\n', (size_t) n);
        if (end != NULL) {
            *n_bytes = (size_t) (end - line);
            line[*n_bytes] = '\0';
            return g_steal_pointer(&line);
        }
        if ((size_t) n < room)
            break;
    }
    return NULL;
}

char *
audit_cursor_next(AuditCursor *self, uint64_t n_records, size_t *n_bytes, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *line = NULL;

    *n_bytes = 0;
    if (self->here.n_records >= n_records || !open_log(self, error))
        return NULL;
    if (self->log >= 0)
        line = read_line(self, (off_t) self->here.n_bytes, n_bytes, &reason);
    if (reason != NULL) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    if (line == NULL || !is_numbered(line, self->here.n_records)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "%s: what stands at byte %" G_GUINT64_FORMAT
                    " is not record %" G_GUINT64_FORMAT,
                    self->log_name, self->here.n_bytes, self->here.n_records);
        return NULL;
    }
    self->here.n_records++;
    self->here.n_bytes += *n_bytes + 1;
    return g_steal_pointer(&line);
}

bool
audit_cursor_keep(AuditCursor *self, GError **error)
{
    g_autofree char *text = g_strdup_printf(FORM " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
                                            self->here.n_records, self->here.n_bytes);
    g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

    if (self->here.n_records == self->kept.n_records)
        return true;
    if (!durable_file_replace(self->folder, self->name, content, error))
        return false;
    g_mutex_lock(&self->mutex);
    self->kept = self->here;
    g_mutex_unlock(&self->mutex);
    return true;
}

void
audit_cursor_rewind(AuditCursor *self)
{
    self->here = self->kept;
}

uint64_t
audit_cursor_kept(AuditCursor *self)
{
    uint64_t n_records = 0;

    g_mutex_lock(&self->mutex);
    n_records = self->kept.n_records;
    g_mutex_unlock(&self->mutex);
    return n_records;
}

void
audit_cursor_free(AuditCursor *self)
{
    if (self == NULL)
        return;
    fd_close(&self->log);
    fd_close(&self->lock);
    fd_close(&self->folder);
    g_mutex_clear(&self->mutex);
    g_free(self->name);
    g_free(self->log_name);
    g_free(self);
}
