#include "agent/playback/statements.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "storage/storage_error.h"

#include <jansson.h>
#include <string.h>

/* Returns: the track whose key opens it, as its header claims, owned; NULL sets `error`. */
static char *
find_track(GBytes *sealed, GError **error)
{
    g_autofree char *claim =
        age_file_claimed_context(g_bytes_get_data(sealed, NULL), g_bytes_get_size(sealed), NULL);
    g_auto(GStrv) words = g_strsplit(claim != NULL ? claim : "", " ", -1);

    if (g_strv_length(words) == 4 && age_context_id_is_valid(words[3]))
        return g_strdup(words[3]);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "it does not say which track's key opens it");
    return NULL;
}

static GByteArray *
open_one(const Recording *recording, const TrackKeys *keys, const Annotation *told, GError **error)
{
    g_autoptr(GBytes) sealed =
        recording_read_statement(recording, told->values[ANNOTATION_STATEMENT], error);
    g_autofree char *track = sealed != NULL ? find_track(sealed, error) : NULL;
    GPtrArray *identities = track != NULL ? track_keys_of(keys, track, error) : NULL;
    g_autoptr(AgeContext) context = NULL;

    if (identities == NULL)
        return NULL;
    context = age_context_new_statement(told->org, told->session, track);
    return age_file_open(identities, context, g_bytes_get_data(sealed, NULL),
                         g_bytes_get_size(sealed), error);
}

/* The one copy of the text that was made on the way. */
static void
drop_row(json_t *row)
{
    const json_t *text = json_object_get(row, "text");

    if (text != NULL)
        explicit_bzero((void *) (uintptr_t) json_string_value(text), json_string_length(text));
    json_decref(row);
}

/* Returns: its line, in a block that never grew; to be wiped. */
static GByteArray *
write_line(const json_t *row)
{
    const size_t n_bytes = json_dumpb(row, NULL, 0, JSON_COMPACT);
    GByteArray *line = g_byte_array_sized_new((guint) n_bytes + 1);

    g_byte_array_set_size(line, (guint) n_bytes + 1);
    (void) json_dumpb(row, (char *) line->data, n_bytes, JSON_COMPACT); /* as long as it was */
    line->data[n_bytes] = '\n';
    return line;
}

static bool
add_line(GPtrArray *lines, const Annotation *told, const GByteArray *text, GError **error)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(told->at_unix_s);
    g_autofree char *at_text = g_date_time_format_iso8601(at);
    json_t *row =
        json_pack("{s:i, s:s, s:s, s:s?, s:s%}", "number", (int) told->number, "at", at_text, "by",
                  told->by, "participant", told->values[ANNOTATION_PARTICIPANT], "text",
                  (const char *) text->data, (size_t) text->len);

    if (row == NULL) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "it is no text");
        return false;
    }
    g_ptr_array_add(lines, write_line(row));
    drop_row(row);
    return true;
}

static GByteArray *
join(const GPtrArray *lines)
{
    guint n_bytes = 0;
    GByteArray *all = NULL;

    for (guint i = 0; i < lines->len; i++)
        n_bytes += ((const GByteArray *) lines->pdata[i])->len;
    all = g_byte_array_sized_new(MAX(n_bytes, 1)); /* its data is never NULL */
    for (guint i = 0; i < lines->len; i++) {
        const GByteArray *line = lines->pdata[i];

        g_byte_array_append(all, line->data, line->len);
    }
    return all;
}

static void
on_line_free(gpointer line)
{
    age_file_wipe(line);
}

GByteArray *
statements_open(const Recording *recording, const TrackKeys *keys, const AnnotationLog *log,
                GError **error)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(on_line_free);

    g_assert(strcmp(recording_manifest(recording)->session, log->session) == 0);
    for (guint i = 0; i < log->annotations->len; i++) {
        const Annotation *told = log->annotations->pdata[i];
        GByteArray *text = NULL;
        bool is_good = false;

        if (told->kind != ANNOTATION_AMENDED)
            continue;
        text = open_one(recording, keys, told, error);
        is_good = text != NULL && add_line(lines, told, text, error);
        age_file_wipe(text);
        if (!is_good) {
            g_prefix_error(error, "amendment %u: ", told->number);
            return NULL;
        }
    }
    return join(lines);
}
