#include "agent/playback/object_past.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/age_writer.h"
#include "storage/manifest_words.h"
#include "storage/storage_error.h"

#include <string.h>

#define MEDIA_SUFFIX ".tape"
#define PAST_SUFFIX  ".past"

/* One segment's. */
typedef struct {
    uint32_t index;
    AgePast *past;
} Row;

struct ObjectPast {
    char *name;          /* within the session */
    AgeContext *context; /* its place */
    GPtrArray *rows;     /* Row, by index */
};

static void
free_row(void *data)
{
    Row *row = data;

    age_past_free(row->past);
    g_free(row);
}

/* Reads the first index in `<folder>/<part>-<first>.tape`, and the name of its past. Returns: the
 * name, owned; NULL: it is called otherwise. */
static char *
name_of(const ManifestSegment *segment, uint32_t *first)
{
    const char *slash = strrchr(segment->object, '/');
    g_autofree char *part = g_strdup_printf("/%u-", segment->part);
    g_autofree char *number = NULL;
    g_autofree char *stem = NULL;
    int64_t value = 0;

    if (slash == NULL || !g_str_has_prefix(slash, part) || !g_str_has_suffix(slash, MEDIA_SUFFIX))
        return NULL;
    stem = g_strndup(segment->object, strlen(segment->object) - strlen(MEDIA_SUFFIX));
    number = g_strdup(strrchr(stem, '/') + strlen(part));
    if (!manifest_words_to_number(number, 0, UINT32_MAX, &value))
        return NULL;
    *first = (uint32_t) value;
    return g_strconcat(stem, PAST_SUFFIX, NULL);
}

ObjectPast *
object_past_new(const ManifestPart *manifest, const ManifestSegment *segment, GError **error)
{
    uint32_t first = 0;
    char *name = name_of(segment, &first);
    ObjectPast *self = NULL;

    if (name == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "%s is not called as objects of segments are", segment->object);
        return NULL;
    }
    self = g_new0(ObjectPast, 1);
    self->name = name;
    self->context = age_context_new_past(manifest->org, manifest->session, segment->track,
                                         segment->part, first);
    self->rows = g_ptr_array_new_with_free_func(free_row);
    return self;
}

void
object_past_free(ObjectPast *self)
{
    if (self == NULL)
        return;
    g_free(self->name);
    age_context_free(self->context);
    g_ptr_array_unref(self->rows);
    g_free(self);
}

const char *
object_past_name(const ObjectPast *self)
{
    return self->name;
}

void
object_past_add(ObjectPast *self, uint32_t index, AgePast *past)
{
    Row *row = g_new0(Row, 1);

    row->index = index;
    row->past = past;
    g_ptr_array_add(self->rows, row);
}

void
object_past_move(ObjectPast *self, ObjectPast *from)
{
    g_ptr_array_extend_and_steal(self->rows, from->rows);
    from->rows = g_ptr_array_new_with_free_func(free_row);
}

static bool
append(void *sink_data, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    (void) error; /* never fails: GLib ends the program without memory */
    g_byte_array_append(sink_data, bytes, (guint) n_bytes);
    return true;
}

/* One line at a time, so that no more than one lies in locked memory. */
static bool
write_line(AgeWriter *writer, const Row *row, GError **error)
{
    g_autofree char *number = g_strdup_printf("%u ", row->index);
    g_autoptr(Secret) text = age_past_to_text(row->past, error);

    return text != NULL &&
           age_writer_write(writer, (const uint8_t *) number, strlen(number), error) &&
           age_writer_write(writer, secret_peek(text), secret_length(text), error) &&
           age_writer_write(writer, (const uint8_t *) "\n", 1, error);
}

GBytes *
object_past_seal(const ObjectPast *self, GPtrArray *recipients, GError **error)
{
    g_autoptr(GByteArray) sealed = g_byte_array_new();
    g_autoptr(AgeWriter) writer = age_writer_new(recipients, self->context, append, sealed, error);
    bool is_good = writer != NULL;

    for (guint i = 0; is_good && i < self->rows->len; i++)
        is_good = write_line(writer, self->rows->pdata[i], error);
    if (!is_good || !age_writer_finish(writer, error))
        return NULL;
    return g_byte_array_free_to_bytes(g_steal_pointer(&sealed));
}

/* Reads `<index> <past>` of `n_bytes`. Returns: false with `error`. */
static bool
read_line(ObjectPast *self, const char *line, size_t n_bytes, GError **error)
{
    const char *space = memchr(line, ' ', n_bytes);
    g_autofree char *number = space != NULL ? g_strndup(line, (size_t) (space - line)) : NULL;
    const Row *last = self->rows->len > 0 ? self->rows->pdata[self->rows->len - 1] : NULL;
    AgePast *past = NULL;
    int64_t index = 0;

    if (number == NULL || !manifest_words_to_number(number, 0, UINT32_MAX, &index) ||
        (last != NULL && index <= last->index)) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "it does not say whose it is, or names one twice");
        return false;
    }
    past = age_past_parse(space + 1, n_bytes - (size_t) (space - line) - 1, error);
    if (past != NULL)
        object_past_add(self, (uint32_t) index, past);
    return past != NULL;
}

static bool
read_lines(ObjectPast *self, const GByteArray *text, GError **error)
{
    const char *at = (const char *) text->data;
    size_t n_left = text->len;

    while (n_left > 0) {
        const char *newline = memchr(at, '\n', n_left);
        const size_t n_line = newline != NULL ? (size_t) (newline - at) : 0;

        if (newline == NULL) {
            g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "its last line has no end");
            return false;
        }
        if (!read_line(self, at, n_line, error))
            return false;
        at += n_line + 1;
        n_left -= n_line + 1;
    }
    return true;
}

ObjectPast *
object_past_open(const ManifestPart *manifest, const ManifestSegment *segment, GBytes *sealed,
                 GPtrArray *identities, GError **error)
{
    g_autoptr(ObjectPast) self = object_past_new(manifest, segment, error);
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);
    GByteArray *text = NULL;
    bool is_good = false;

    if (self == NULL)
        return NULL;
    /* Kept as media are: its keys open media, and nothing that is stored any more. */
    text = age_file_open(identities, self->context, bytes, n_bytes, error);
    is_good = text != NULL && read_lines(self, text, error);
    age_file_wipe(text);
    if (is_good)
        return g_steal_pointer(&self);
    g_prefix_error(error, "%s: ", self->name);
    return NULL;
}

bool
object_past_prove(const ObjectPast *self, const ManifestSegment *segment, const Digest *recorded,
                  const struct iovec *plain, GError **error)
{
    for (guint i = 0; i < self->rows->len; i++) {
        const Row *row = self->rows->pdata[i];
        Digest found;

        if (row->index != segment->index)
            continue;
        found = age_past_digest(row->past, plain->iov_base, plain->iov_len);
        if (digest_equal(&found, recorded))
            return true;
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                    "it was sealed anew, and is not what the recorder signed");
        return false;
    }
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "it was sealed anew, and %s does not say what it was made with", self->name);
    return false;
}
