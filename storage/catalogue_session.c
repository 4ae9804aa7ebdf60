#include "storage/catalogue_session.h"

#include "crypto/signed_note.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

/* Returns: the part, genuine and of this session and number; NULL sets `error`. */
static ManifestPart *
open_part(const CatalogueEntry *entry, const CatalogueSource *source, uint32_t number, GBytes *note,
          GError **error)
{
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(note, &n_bytes);
    g_autofree char *text = note_open(bytes, n_bytes, source->verifiers, error);
    g_autoptr(ManifestPart) part = text != NULL ? manifest_part_parse(text, error) : NULL;

    if (part == NULL)
        return NULL;
    if (part->number == number && strcmp(part->org, entry->org) == 0 &&
        strcmp(part->session, entry->session) == 0)
        return g_steal_pointer(&part);
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "it says it is part %u of session %s of organisation %s", part->number,
                part->session, part->org);
    return NULL;
}

/* Returns: false where nothing after this part can be added either; `error` only if the store
 * failed. */
static bool
add_part(CatalogueEntry *entry, const CatalogueSource *source, uint32_t number, GError **error)
{
    g_autofree char *key = object_key_manifest(entry->org, entry->session, number);
    g_autoptr(GBytes) note = object_store_get(source->store, key, error);
    g_autoptr(ManifestPart) part = NULL;
    g_autoptr(GError) fault = NULL;
    Digest digest;

    if (note == NULL)
        return false;
    part = open_part(entry, source, number, note, &fault);
    digest = digest_of_bytes(note);
    if (part != NULL && catalogue_entry_add_part(entry, part, &digest, &fault))
        return true;
    if (source->on_finding != NULL) {
        g_autofree char *sentence =
            g_strdup_printf("part %u of the manifest (%u.note) can not be used: %s", number, number,
                            fault->message);

        source->on_finding(entry->session, sentence, source->user_data);
    }
    return false;
}

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
    const uint32_t first = *(const uint32_t *) a;
    const uint32_t second = *(const uint32_t *) b;

    return (first > second) - (first < second);
}

/* Notes the envelopes. Returns: numbers of the manifest parts that are not known yet, ascending. */
static GArray *
look(CatalogueEntry *entry, const CatalogueSource *source, bool *has_news, GError **error)
{
    g_autofree char *prefix = object_key_join(entry->org, entry->session, "");
    g_autoptr(GPtrArray) keys = object_store_list(source->store, prefix, error);
    GArray *numbers = NULL;

    if (keys == NULL)
        return NULL;
    numbers = g_array_new(false, false, sizeof(uint32_t));
    for (guint i = 0; i < keys->len; i++) {
        const char *relative = (const char *) g_ptr_array_index(keys, i) + strlen(prefix);
        uint32_t number = 0;

        if (object_key_parse_number(relative, "env", ".age", &number)) {
            *has_news = catalogue_entry_add_envelope(entry, number) || *has_news;
        } else if (object_key_parse_number(relative, "manifest", ".note", &number) &&
                   number > entry->n_parts) {
            g_array_append_val(numbers, number);
        }
    }
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

bool
catalogue_session_read(CatalogueEntry *entry, const CatalogueSource *source, bool *has_news,
                       GError **error)
{
    g_autoptr(GArray) numbers = NULL;
    g_autoptr(GError) fault = NULL;

    *has_news = false;
    numbers = look(entry, source, has_news, error);
    for (guint i = 0; numbers != NULL && i < numbers->len; i++) {
        if (!add_part(entry, source, g_array_index(numbers, uint32_t, i), &fault))
            break;
        *has_news = true;
    }
    if (fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
    } else if (numbers != NULL) {
        return true;
    }
    return false;
}
