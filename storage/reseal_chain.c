#include "storage/reseal_chain.h"

#include "crypto/signed_note.h"
#include "storage/object_key.h"
#include "storage/reseal_chain_private.h"
#include "storage/storage_error.h"

#include <string.h>

ResealChain *
reseal_chain_new(const char *org, const char *session)
{
    ResealChain *self = g_new0(ResealChain, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->notes = g_ptr_array_new_with_free_func((GDestroyNotify) reseal_note_free);
    self->replaced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
reseal_chain_free(ResealChain *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    g_ptr_array_unref(self->notes);
    g_hash_table_unref(self->replaced);
    g_hash_table_unref(self->named);
    g_hash_table_unref(self->origins);
    g_free(self);
}

const GPtrArray *
reseal_chain_notes(const ResealChain *self)
{
    return self->notes;
}

bool
reseal_chain_ends_with(const ResealChain *self, const char *digest)
{
    g_autofree char *last = digest_to_hex(&self->last);

    return self->notes->len > 0 && strcmp(last, digest) == 0;
}

void
reseal_chain_tell(const ResealReading *reading, const char *code, const char *format, ...)
{
    g_autofree char *sentence = NULL;
    va_list arguments;

    va_start(arguments, format);
    sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    reading->on_fault(code, sentence, reading->user_data);
}

static gboolean
take_over(gpointer name, gpointer value, gpointer replaced)
{
    g_hash_table_add(replaced, name);
    return TRUE;
}

/* What the note before named beside the media is replaced; what this one names is there. */
static void
take_names(ResealChain *self, const ResealNote *note)
{
    g_hash_table_foreach_steal(self->named, take_over, self->replaced);
    for (guint i = 0; i < note->gone->len; i++) {
        const ResealEnvelope *row = &g_array_index(note->gone, ResealEnvelope, i);

        g_hash_table_add(self->replaced, g_strdup_printf("env/%u.age", row->generation));
    }
    for (guint i = 0; i < note->pasts->len; i++) {
        const ResealPast *row = note->pasts->pdata[i];

        g_hash_table_insert(self->named, g_strdup(row->object), (void *) row);
    }
    for (guint i = 0; i < note->said->len; i++) {
        const ResealSaid *row = &g_array_index(note->said, ResealSaid, i);
        g_autofree char *digest = digest_to_hex(&row->name);

        g_hash_table_insert(
            self->named, g_strdup_printf("r%u/said/%s.sealed", note->envelope.generation, digest),
            NULL);
        g_hash_table_add(self->replaced, g_strdup_printf("said/%s.sealed", digest));
    }
}

/* Whether `next` leaves out nothing that `last` made: else its objects would count as replaced. */
static bool
names_all_of(const ResealNote *next, const ResealNote *last)
{
    for (guint i = 0; i < last->tracks->len; i++) {
        if (reseal_chain_find_track(next, ((const ResealTrack *) last->tracks->pdata[i])->id) ==
            NULL)
            return false;
    }
    for (guint i = 0; i < last->said->len; i++) {
        const ResealSaid *row = &g_array_index(last->said, ResealSaid, i);
        bool is_found = false;

        for (guint j = 0; !is_found && j < next->said->len; j++)
            is_found = digest_equal(&g_array_index(next->said, ResealSaid, j).name, &row->name);
        if (!is_found)
            return false;
    }
    return true;
}

/* Returns: why it does not belong behind `last`; NULL: it does. What stands there twice would count
 * as replaced, and be removed. */
static const char *
why_not_behind(const ResealNote *note, const ResealNote *last)
{
    if (note->envelope.generation <= last->envelope.generation)
        return "has an envelope that is not newer than the one before it";
    return names_all_of(note, last) ? NULL : "leaves out what the one before it made";
}

/* Returns: why it does not belong there; NULL: it does. */
static const char *
why_misplaced(const ResealChain *self, const ResealNote *note)
{
    const ResealNote *last = self->notes->len > 0 ? self->notes->pdata[self->notes->len - 1] : NULL;

    if (note->number != self->notes->len + 1 || strcmp(note->org, self->org) != 0 ||
        strcmp(note->session, self->session) != 0)
        return "says that it is another one, or of another session";
    if (note->has_previous && !digest_equal(&note->previous, &self->last))
        return "does not follow the one that lies before it";
    return last != NULL ? why_not_behind(note, last) : NULL;
}

bool
reseal_chain_take(ResealChain *self, GBytes *body, const ResealReading *reading)
{
    const guint number = self->notes->len + 1;
    gsize n_bytes = 0;
    const char *bytes = g_bytes_get_data(body, &n_bytes);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = note_open(bytes, n_bytes, reading->verifiers, &error);
    g_autoptr(ResealNote) note = text != NULL ? reseal_note_parse(text, &error) : NULL;
    const char *misplaced = note != NULL ? why_misplaced(self, note) : NULL;

    if (note == NULL) {
        reseal_chain_tell(reading, text == NULL ? "reseal-signature" : "reseal-malformed",
                          "note %u on its sealing anew (resealed/%u.note) %s: %s", number, number,
                          text == NULL ? "is not genuine" : "can not be read", error->message);
        return false;
    }
    if (misplaced != NULL) {
        reseal_chain_tell(reading, "reseal-misplaced",
                          "note %u on its sealing anew (resealed/%u.note) %s", number, number,
                          misplaced);
        return false;
    }
    self->last = digest_of_bytes(body);
    take_names(self, note);
    g_ptr_array_add(self->notes, g_steal_pointer(&note));
    return true;
}

void
reseal_chain_read(ResealChain *self, ObjectStore *store, uint32_t n_notes,
                  const ResealReading *reading)
{
    for (uint32_t number = 1; number <= n_notes; number++) {
        g_autofree char *key = object_key_reseal(self->org, self->session, number);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) note = object_store_get(store, key, &error);

        if (note == NULL) {
            reseal_chain_tell(reading, "reseal-missing",
                              "note %u on its sealing anew (resealed/%u.note) can not be read: %s",
                              number, number, error->message);
            return;
        }
        if (!reseal_chain_take(self, note, reading))
            return;
    }
}
