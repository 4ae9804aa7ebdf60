#include "crypto/envelope.h"

#include "crypto/age_file.h"
#include "crypto/crypto_error.h"

#include <string.h>

#define TRACK_LINE "# track "

struct EnvelopeBuilder {
    AgeContext *context;
    GPtrArray *labels; /* char *: `# track <id>\n` */
    GPtrArray *keys;   /* Secret: identity file line of the track at the same place */
};

EnvelopeBuilder *
envelope_builder_new(const char *org, const char *session, uint32_t generation)
{
    EnvelopeBuilder *self = g_new0(EnvelopeBuilder, 1);

    self->context = age_context_new_envelope(org, session, generation);
    self->labels = g_ptr_array_new_with_free_func(g_free);
    self->keys = g_ptr_array_new_with_free_func((GDestroyNotify) secret_free);
    return self;
}

char *
envelope_builder_add_track(EnvelopeBuilder *self, const char *track, GError **error)
{
    g_autoptr(AgeIdentity) identity = age_identity_generate(error);
    g_autoptr(AgeRecipient) recipient = NULL;
    Secret *line = NULL;

    g_assert(age_context_id_is_valid(track));
    if (identity == NULL)
        return NULL;
    line = age_identity_to_text(identity, error);
    if (line == NULL)
        return NULL;
    recipient = age_identity_recipient(identity);
    g_ptr_array_add(self->labels, g_strconcat(TRACK_LINE, track, "\n", NULL));
    g_ptr_array_add(self->keys, line);
    return g_strdup(age_recipient_text(recipient));
}

GBytes *
envelope_builder_seal(EnvelopeBuilder *self, GPtrArray *recipients, GError **error)
{
    g_autofree struct iovec *pieces = g_new0(struct iovec, 2 * self->keys->len);

    for (guint i = 0; i < self->keys->len; i++) {
        char *label = g_ptr_array_index(self->labels, i);
        Secret *key = g_ptr_array_index(self->keys, i);
        struct iovec *pair = &pieces[2 * (size_t) i];

        pair[0] = (struct iovec){label, strlen(label)};
        pair[1] = (struct iovec){secret_bytes(key), secret_length(key)};
    }
    return age_file_seal(recipients, self->context, pieces, 2 * (size_t) self->keys->len, error);
}

void
envelope_builder_free(EnvelopeBuilder *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->keys);
    g_ptr_array_unref(self->labels);
    age_context_free(self->context);
    g_free(self);
}

static void
envelope_key_free(gpointer data)
{
    EnvelopeKey *self = data;

    g_free(self->track);
    age_identity_free(self->identity);
    g_free(self);
}

/* Reads `# track <id>` of `n_bytes` at `line`. Returns: the id, owned; NULL for any other line. */
static char *
read_label(const char *line, size_t n_bytes)
{
    const size_t n_prefix = strlen(TRACK_LINE);
    g_autofree char *id = NULL;

    if (n_bytes <= n_prefix || memcmp(line, TRACK_LINE, n_prefix) != 0) /* public */
        return NULL;
    id = g_strndup(line + n_prefix, n_bytes - n_prefix);
    return age_context_id_is_valid(id) ? g_steal_pointer(&id) : NULL;
}

/* The ids of the label lines, in order; they are not secret, the lines between them are. */
static GPtrArray *
read_labels(const Secret *text)
{
    GPtrArray *labels = g_ptr_array_new_with_free_func(g_free);
    const char *at = (const char *) secret_peek(text);
    const char *const end = at + secret_length(text);

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t) (end - at));
        const size_t n_bytes = (size_t) ((newline != NULL ? newline : end) - at);
        char *label = read_label(at, n_bytes);

        if (label != NULL)
            g_ptr_array_add(labels, label);
        at += n_bytes + 1;
    }
    return labels;
}

GPtrArray *
envelope_open(GPtrArray *identities, const AgeContext *context, GBytes *sealed, GError **error)
{
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);
    g_autoptr(Secret) text = age_file_open_secret(identities, context, bytes, n_bytes, error);
    g_autoptr(GPtrArray) labels = NULL;
    g_autoptr(GPtrArray) opened = NULL;
    GPtrArray *keys = NULL;

    if (text == NULL)
        return NULL;
    labels = read_labels(text);
    opened = age_identity_parse_file(text, error);
    if (opened == NULL)
        return NULL;
    if (opened->len != labels->len) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED,
                    "the envelope names %u tracks but holds %u keys", labels->len, opened->len);
        return NULL;
    }
    keys = g_ptr_array_new_with_free_func(envelope_key_free);
    g_ptr_array_set_free_func(opened, NULL);
    for (guint i = 0; i < labels->len; i++) {
        EnvelopeKey *key = g_new0(EnvelopeKey, 1);

        key->track = g_strdup(g_ptr_array_index(labels, i));
        key->identity = g_ptr_array_index(opened, i);
        g_ptr_array_add(keys, key);
    }
    return keys;
}
