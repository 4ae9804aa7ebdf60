#include "storage/catalogue_news.h"

#include "crypto/signed_note.h"
#include "storage/catalogue_rows.h"
#include "storage/storage_error.h"

#include <string.h>

CatalogueNews *
catalogue_news_new_part(const char *note)
{
    CatalogueNews *self = g_new0(CatalogueNews, 1);

    self->note = g_strdup(note);
    return self;
}

CatalogueNews *
catalogue_news_new_envelope(const char *org, const char *session, uint32_t generation)
{
    CatalogueNews *self = g_new0(CatalogueNews, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->generation = generation;
    return self;
}

/* Returns: the entry as it is known, or a new one, owned; NULL if the catalogue failed. */
static CatalogueEntry *
load_or_begin(Catalogue *catalogue, const char *org, const char *session, GError **error)
{
    g_autoptr(GError) fault = NULL;
    CatalogueEntry *entry = catalogue_load(catalogue, org, session, &fault);

    if (entry != NULL)
        return entry;
    if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return catalogue_entry_new(org, session);
    g_propagate_error(error, g_steal_pointer(&fault));
    return NULL;
}

static ManifestPart *
open_note(const char *note, GPtrArray *verifiers, GError **error)
{
    g_autofree char *text = note_open(note, strlen(note), verifiers, error);

    return text != NULL ? manifest_part_parse(text, error) : NULL;
}

static CatalogueNewsResult
write_part(const CatalogueNews *self, Catalogue *catalogue, GPtrArray *verifiers, GError **error)
{
    g_autoptr(ManifestPart) part = open_note(self->note, verifiers, error);
    const Digest digest = digest_of(self->note, strlen(self->note));
    g_autoptr(CatalogueEntry) entry = NULL;
    g_autoptr(GError) fault = NULL;

    if (part == NULL)
        return CATALOGUE_NEWS_REFUSED;
    entry = load_or_begin(catalogue, part->org, part->session, error);
    if (entry == NULL)
        return CATALOGUE_NEWS_FAILED;
    if (catalogue_entry_add_part(entry, part, &digest, &fault)) {
        return catalogue_save(catalogue, entry, error) ? CATALOGUE_NEWS_WRITTEN
                                                       : CATALOGUE_NEWS_FAILED;
    }
    if (g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        return CATALOGUE_NEWS_GAP;
    g_propagate_error(error, g_steal_pointer(&fault));
    return CATALOGUE_NEWS_REFUSED;
}

static CatalogueNewsResult
write_envelope(const CatalogueNews *self, Catalogue *catalogue, GError **error)
{
    g_autoptr(CatalogueEntry) entry = load_or_begin(catalogue, self->org, self->session, error);

    if (entry == NULL)
        return CATALOGUE_NEWS_FAILED;
    if (!catalogue_entry_add_envelope(entry, self->generation) ||
        catalogue_save(catalogue, entry, error))
        return CATALOGUE_NEWS_WRITTEN;
    return CATALOGUE_NEWS_FAILED;
}

CatalogueNewsResult
catalogue_news_write(const CatalogueNews *self, Catalogue *catalogue, GPtrArray *verifiers,
                     GError **error)
{
    return self->note != NULL ? write_part(self, catalogue, verifiers, error)
                              : write_envelope(self, catalogue, error);
}

uint64_t
catalogue_news_bytes(const CatalogueNews *self)
{
    return sizeof *self + 128 + (self->note != NULL ? strlen(self->note) : 0);
}

void
catalogue_news_free(CatalogueNews *self)
{
    g_free(self->note);
    g_free(self->org);
    g_free(self->session);
    g_free(self);
}
