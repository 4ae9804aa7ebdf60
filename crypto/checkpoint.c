#include "crypto/checkpoint.h"

#include "crypto/base64.h"
#include "crypto/crypto_error.h"

#include <string.h>

enum { ORIGIN_LINE, SIZE_LINE, ROOT_LINE, N_LINES };

char *
checkpoint_sign(const Checkpoint *self, const NoteSigner *signer)
{
    g_autofree char *root = g_base64_encode(self->root.bytes, sizeof(self->root.bytes));
    g_autofree char *text =
        g_strdup_printf("%s\n%" G_GUINT64_FORMAT "\n%s\n", self->origin, self->n_leaves, root);

    g_assert(self->origin[0] != '\0');
    return note_sign(signer, text);
}

/* One number has one text. */
static bool
read_size(uint64_t *size, const char *text)
{
    guint64 value = 0;

    if (text[0] == '0' && text[1] != '\0')
        return false;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &value, NULL))
        return false;
    *size = value;
    return strspn(text, "0123456789") == strlen(text);
}

static bool
read_root(Digest *root, const char *text)
{
    size_t n_bytes = 0;

    return base64_decode_padded(text, strlen(text), root->bytes, sizeof(root->bytes), &n_bytes) &&
           n_bytes == sizeof(root->bytes);
}

bool
checkpoint_open(Checkpoint *self, GBytes *note, GPtrArray *verifiers, GError **error)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autofree char *text = note_open(bytes, n_bytes, verifiers, error);
    g_auto(GStrv) lines = text == NULL ? NULL : g_strsplit(text, "\n", -1);

    if (text == NULL)
        return false;
    if (g_strv_length(lines) <= N_LINES || lines[ORIGIN_LINE][0] == '\0' ||
        !read_size(&self->n_leaves, lines[SIZE_LINE]) || !read_root(&self->root, lines[ROOT_LINE]))
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "signed, but not a checkpoint of a log");
    g_free(self->origin);
    self->origin = g_strdup(lines[ORIGIN_LINE]);
    return true;
}

void
checkpoint_clear(Checkpoint *self)
{
    g_clear_pointer(&self->origin, g_free);
}
