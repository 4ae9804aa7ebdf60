#include "storage/s3_xml.h"

#include "storage/storage_error.h"

#include <string.h>

enum { MAX_DEPTH = 16, MAX_TEXT_BYTES = 64 << 10 };

typedef struct {
    const char *root;
    S3XmlLeaf on_leaf;
    void *user_data;
    GString *path;
    GString *text;
    unsigned depth;
    bool is_leaf; /* no element has ended inside the one that is open */
    bool has_ended;
} Reader;

static void
fail(GError **error, const char *sentence, const char *what)
{
    g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "%s <%s>", sentence, what);
}

static void /* as GLib calls it. NOLINTNEXTLINE(readability-function-size) */
on_start(GMarkupParseContext *context, const char *name, const char **names, const char **values,
         void *user_data, GError **error)
{
    Reader *self = user_data;

    self->depth++;
    if (self->has_ended) {
        fail(error, "a second root,", name);
        return;
    }
    if (self->depth == 1 && strcmp(name, self->root) != 0) {
        fail(error, "the document is a", name);
        return;
    }
    if (self->depth > MAX_DEPTH) {
        fail(error, "too deep at", name);
        return;
    }
    if (strspn(self->text->str, " \t\r\n") != self->text->len) {
        fail(error, "text before", name);
        return;
    }
    g_string_truncate(self->text, 0);
    self->is_leaf = true;
    if (self->depth > 1)
        g_string_append_printf(self->path, "%s%s", self->path->len == 0 ? "" : "/", name);
}

static void
on_end(GMarkupParseContext *context, const char *name, void *user_data, GError **error)
{
    Reader *self = user_data;
    const char *slash = strrchr(self->path->str, '/');

    if (self->is_leaf && self->depth > 1) {
        if (!self->on_leaf(self->path->str, g_strstrip(self->text->str), self->user_data)) {
            fail(error, "not as it should be:", self->path->str);
            return;
        }
    } else if (strspn(self->text->str, " \t\r\n") != self->text->len) {
        fail(error, "text in", name);
        return;
    }
    g_string_truncate(self->text, 0);
    g_string_truncate(self->path, slash == NULL ? 0 : (gsize) (slash - self->path->str));
    self->is_leaf = false;
    self->depth--;
    self->has_ended = self->depth == 0;
}

static void
on_text(GMarkupParseContext *context, const char *text, gsize n_bytes, void *user_data,
        GError **error)
{
    Reader *self = user_data;

    if (self->text->len + n_bytes > MAX_TEXT_BYTES) {
        fail(error, "too long a text in", self->path->str);
    } else {
        g_string_append_len(self->text, text, (gssize) n_bytes);
    }
}

/* The declaration and comments; a document type could define entities, which none of ours needs. */
static void
on_other(GMarkupParseContext *context, const char *text, gsize n_bytes, void *user_data,
         GError **error)
{
    if (g_str_has_prefix(text, "<!DOCTYPE"))
        fail(error, "no S3 answer has a", "!DOCTYPE");
}

bool
s3_xml_read(GBytes *xml, const char *root, S3XmlLeaf on_leaf, void *user_data, GError **error)
{
    static const GMarkupParser parser = {on_start, on_end, on_text, on_other, NULL};
    Reader reader = {.root = root, .on_leaf = on_leaf, .user_data = user_data};
    g_autoptr(GMarkupParseContext) context =
        g_markup_parse_context_new(&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, &reader, NULL);
    g_autoptr(GError) reason = NULL;
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(xml, &n_bytes);
    bool is_good = false;

    reader.path = g_string_new(NULL);
    reader.text = g_string_new(NULL);
    is_good = n_bytes > 0 && memchr(bytes, '\0', n_bytes) == NULL &&
              g_markup_parse_context_parse(context, bytes, (gssize) n_bytes, &reason) &&
              g_markup_parse_context_end_parse(context, &reason);
    (void) g_string_free(reader.path, TRUE);
    (void) g_string_free(reader.text, TRUE);
    if (!is_good) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "not a <%s> document: %s", root,
                    reason == NULL ? "it is empty or holds a NUL" : reason->message);
    }
    return is_good;
}
