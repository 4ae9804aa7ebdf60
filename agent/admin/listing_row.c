#include "agent/admin/listing_row.h"

#include "agent/admin/time_text.h"

#include <string.h>

static ListingRow *
listing_row_new(const char *org, const char *session, int64_t created_us, json_t *json)
{
    ListingRow *self = g_new0(ListingRow, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->created_us = created_us;
    self->json = json;
    return self;
}

static int64_t
anchor_of(const ManifestPart *manifest)
{
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = g_ptr_array_index(manifest->tracks, i);

        if (track->anchor_unix_us > 0)
            return track->anchor_unix_us;
    }
    return 0;
}

ListingRow *
listing_row_new_facts(const SessionFacts *facts)
{
    int64_t created_us = facts->manifest != NULL ? anchor_of(facts->manifest) : 0;

    if (created_us == 0 && facts->created != NULL &&
        !time_text_parse_moment(facts->created, 0, &created_us))
        created_us = 0;
    return listing_row_new(facts->org, facts->session, created_us, session_facts_to_row(facts));
}

static const char *
text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* What the signed manifest says is final; as long as it is open, the recorder knows better. */
ListingRow *
listing_row_new_entry(const CatalogueEntry *entry, const json_t *live)
{
    const bool is_open = entry->ended_us == 0 && live != NULL;
    const char *reason = *entry->reason != '\0' ? entry->reason : NULL;
    const char *live_created = text_of(live, "created");
    int64_t created_us = entry->created_us;
    g_autofree char *created = NULL;
    json_t *json = NULL;

    if (created_us == 0 &&
        (live_created == NULL || !time_text_parse_moment(live_created, 0, &created_us)))
        created_us = 0;
    created = created_us > 0 ? time_text_format_unix(created_us) : NULL;
    json = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:I, s:i, s:I}", "org", entry->org, "session",
                     entry->session, "state", is_open ? text_of(live, "state") : entry->state,
                     "reason", is_open ? text_of(live, "reason") : reason, "created", created,
                     "duration_us", (json_int_t) entry->duration_us, "tracks",
                     (int) entry->n_tracks, "bytes", (json_int_t) entry->n_bytes);
    return listing_row_new(entry->org, entry->session, created_us, json);
}

ListingRow *
listing_row_copy(const ListingRow *self)
{
    return listing_row_new(self->org, self->session, self->created_us, json_incref(self->json));
}

int
listing_row_compare(gconstpointer a, gconstpointer b)
{
    const ListingRow *first = *(ListingRow *const *) a;
    const ListingRow *second = *(ListingRow *const *) b;
    const int by_session = strcmp(second->session, first->session);

    if (first->created_us != second->created_us)
        return first->created_us < second->created_us ? 1 : -1;
    return by_session != 0 ? by_session : strcmp(second->org, first->org);
}

void
listing_row_free(ListingRow *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    json_decref(self->json);
    g_free(self);
}
