#include "storage/audit_lines.h"

#include "storage/storage_error.h"

#include <string.h>

/* `line`: without its end. Notes its time. */
static bool
check_line(AuditLines *self, const char *line, size_t n_bytes)
{
    g_autofree char *text = g_strndup(line, n_bytes);
    g_auto(GStrv) words = g_strsplit(text, " ", 3);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, self->tree.n_leaves);
    g_autoptr(GDateTime) time = NULL;
    int64_t unix_us = 0;

    if (strlen(text) != n_bytes || g_strv_length(words) != 3 || strcmp(words[0], number) != 0)
        return false;
    time = g_date_time_new_from_iso8601(words[1], NULL);
    if (time == NULL)
        return false;
    unix_us = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    if (unix_us < self->last_unix_us)
        return false;
    self->last_unix_us = unix_us;
    return true;
}

bool
audit_lines_read(AuditLines *self, GBytes *content, AuditLineFunc on_line, void *user_data,
                 GError **error)
{
    gsize n_left = 0;
    const char *next = g_bytes_get_data(content, &n_left);
    const char *end = NULL;

    while (n_left > 0 && (end = memchr(next, '\n', n_left)) != NULL) {
        const size_t n_line = (size_t) (end - next);
        const Digest leaf = merkle_leaf(next, n_line);

        if (!check_line(self, next, n_line)) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                        "line %" G_GUINT64_FORMAT " is not its record", self->tree.n_leaves + 1);
            return false;
        }
        merkle_tree_add(&self->tree, &leaf);
        self->n_bytes += n_line + 1;
        if (on_line != NULL && !on_line(self, next, n_line, user_data, error))
            return false;
        n_left -= n_line + 1;
        next = end + 1;
    }
    return true;
}
