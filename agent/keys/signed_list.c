#include "agent/keys/signed_list.h"

#include "storage/storage_error.h"

#include <string.h>

#define HEAD "sealtape-signed/v1"

static void
session_free(void *data)
{
    SignedSession *self = data;

    g_free(self->session);
    g_free(self);
}

SignedList *
signed_list_new(const char *org, const char *verifier_key)
{
    SignedList *self = g_new0(SignedList, 1);

    self->org = g_strdup(org);
    self->verifier_key = g_strdup(verifier_key);
    self->sessions = g_ptr_array_new_with_free_func(session_free);
    return self;
}

void
signed_list_add(SignedList *self, const char *session, uint32_t number, const Digest *note)
{
    SignedSession *row = g_new0(SignedSession, 1);

    row->session = g_strdup(session);
    row->number = number;
    row->note = *note;
    g_ptr_array_add(self->sessions, row);
}

const SignedSession *
signed_list_find(const SignedList *self, const char *session)
{
    for (guint i = 0; i < self->sessions->len; i++) {
        const SignedSession *row = self->sessions->pdata[i];

        if (strcmp(row->session, session) == 0)
            return row;
    }
    return NULL;
}

GBytes *
signed_list_to_bytes(const SignedList *self)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, HEAD "\norg %s\nsigner %s\n", self->org, self->verifier_key);
    for (guint i = 0; i < self->sessions->len; i++) {
        const SignedSession *row = self->sessions->pdata[i];
        g_autofree char *note = digest_to_hex(&row->note);

        g_string_append_printf(text, "session %s %u %s\n", row->session, row->number, note);
    }
    return g_string_free_to_bytes(text);
}

/* session ID NUMBER SHA256 */
static bool
read_session(SignedList *self, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 5);
    uint64_t number = 0;
    Digest note;

    if (g_strv_length(words) != 4 || strcmp(words[0], "session") != 0 ||
        !g_ascii_string_to_unsigned(words[2], 10, 1, UINT32_MAX, &number, NULL) ||
        !digest_from_hex(&note, words[3]))
        return false;
    signed_list_add(self, words[1], (uint32_t) number, &note);
    return true;
}

/* Whatever is not as it would be written is refused. */
static SignedList *
read_lines(char **lines)
{
    const guint n_lines = g_strv_length(lines);
    g_autoptr(SignedList) self = NULL;

    if (n_lines < 4 || strcmp(lines[0], HEAD) != 0 || !g_str_has_prefix(lines[1], "org ") ||
        !g_str_has_prefix(lines[2], "signer "))
        return NULL;
    self = signed_list_new(lines[1] + strlen("org "), lines[2] + strlen("signer "));
    for (guint i = 3; i + 1 < n_lines; i++) {
        if (!read_session(self, lines[i]))
            return NULL;
    }
    return g_steal_pointer(&self);
}

SignedList *
signed_list_parse(GBytes *bytes, GError **error)
{
    gsize n_bytes = 0;
    const char *data = g_bytes_get_data(bytes, &n_bytes);
    g_autofree char *text = g_strndup(data, n_bytes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(SignedList) self = read_lines(lines);
    g_autoptr(GBytes) again = self != NULL ? signed_list_to_bytes(self) : NULL;

    if (again != NULL && g_bytes_equal(again, bytes))
        return g_steal_pointer(&self);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "it is no list of what a program had signed");
    return NULL;
}

void
signed_list_free(SignedList *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->verifier_key);
    g_ptr_array_unref(self->sessions);
    g_free(self);
}
