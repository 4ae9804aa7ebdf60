#include "storage/reseal_note.h"

#include <inttypes.h>

static void
free_track(void *data)
{
    ResealTrack *row = data;

    g_free(row->id);
    g_free(row->before);
    g_free(row->now);
    g_free(row);
}

static void
free_segment(void *data)
{
    ResealSegment *row = data;

    g_free(row->track);
    g_free(row->object);
    g_free(row);
}

static void
free_past(void *data)
{
    ResealPast *row = data;

    g_free(row->object);
    g_free(row);
}

ResealNote *
reseal_note_new(const char *org, const char *session)
{
    ResealNote *self = g_new0(ResealNote, 1);

    self->org = g_strdup(org);
    self->session = g_strdup(session);
    self->gone = g_array_new(false, false, sizeof(ResealEnvelope));
    self->tracks = g_ptr_array_new_with_free_func(free_track);
    self->segments = g_ptr_array_new_with_free_func(free_segment);
    self->pasts = g_ptr_array_new_with_free_func(free_past);
    self->said = g_array_new(false, false, sizeof(ResealSaid));
    return self;
}

void
reseal_note_free(ResealNote *self)
{
    if (self == NULL)
        return;
    g_free(self->org);
    g_free(self->session);
    g_free(self->by);
    g_free(self->software);
    g_free(self->against);
    g_array_unref(self->gone);
    g_ptr_array_unref(self->tracks);
    g_ptr_array_unref(self->segments);
    g_ptr_array_unref(self->pasts);
    g_array_unref(self->said);
    g_free(self);
}

void
reseal_note_add_track(ResealNote *self, const ResealTrack *row)
{
    ResealTrack *own = g_new0(ResealTrack, 1);

    own->id = g_strdup(row->id);
    own->before = g_strdup(row->before);
    own->now = g_strdup(row->now);
    g_ptr_array_add(self->tracks, own);
}

void
reseal_note_add_segment(ResealNote *self, const ResealSegment *row)
{
    ResealSegment *own = g_new0(ResealSegment, 1);

    *own = *row;
    own->track = g_strdup(row->track);
    own->object = g_strdup(row->object);
    g_ptr_array_add(self->segments, own);
}

void
reseal_note_add_past(ResealNote *self, const ResealPast *row)
{
    ResealPast *own = g_new0(ResealPast, 1);

    own->object = g_strdup(row->object);
    own->digest = row->digest;
    g_ptr_array_add(self->pasts, own);
}

bool
reseal_note_names(const ResealNote *self, const char *statement)
{
    Digest name;

    if (!digest_from_hex(&name, statement))
        return false;
    for (guint i = 0; i < self->said->len; i++) {
        if (digest_equal(&g_array_index(self->said, ResealSaid, i).name, &name))
            return true;
    }
    return false;
}

/* Adds a space and the digest. */
static void
add_digest(GString *text, const Digest *digest)
{
    g_autofree char *hex = digest_to_hex(digest);

    g_string_append_printf(text, " %s", hex);
}

static void
add_envelope(GString *text, const char *word, const ResealEnvelope *row)
{
    g_string_append_printf(text, "%s %u", word, row->generation);
    add_digest(text, &row->digest);
    g_string_append_c(text, '\n');
}

static void
add_head(GString *text, const ResealNote *self)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(self->at_unix_s);
    g_autofree char *time = at != NULL ? g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    g_string_append_printf(text, "sealtape-reseal/v1\norg %s\nsession %s\nnumber %u\nprev",
                           self->org, self->session, self->number);
    if (self->has_previous) {
        add_digest(text, &self->previous);
    } else {
        g_string_append(text, " -");
    }
    g_string_append_printf(text, "\nmanifest %u", self->n_parts);
    add_digest(text, &self->manifest);
    g_string_append_printf(text, "\nat %s\nby %s\nsoftware %s\nagainst %s\n",
                           time != NULL ? time : "-", self->by, self->software, self->against);
}

static void
add_segment(GString *text, const ResealSegment *row)
{
    g_string_append_printf(text, "seg %s %u %u", row->track, row->part, row->index);
    add_digest(text, &row->before);
    g_string_append_printf(text, " %s %" PRIu64 " %" PRIu64, row->object, row->offset, row->length);
    add_digest(text, &row->now);
    g_string_append_c(text, '\n');
}

char *
reseal_note_to_text(const ResealNote *self)
{
    GString *text = g_string_new(NULL);

    add_head(text, self);
    add_envelope(text, "envelope", &self->envelope);
    for (guint i = 0; i < self->gone->len; i++)
        add_envelope(text, "gone", &g_array_index(self->gone, ResealEnvelope, i));
    for (guint i = 0; i < self->tracks->len; i++) {
        const ResealTrack *row = self->tracks->pdata[i];

        g_string_append_printf(text, "track %s %s %s\n", row->id, row->before, row->now);
    }
    for (guint i = 0; i < self->segments->len; i++)
        add_segment(text, self->segments->pdata[i]);
    for (guint i = 0; i < self->pasts->len; i++) {
        const ResealPast *row = self->pasts->pdata[i];

        g_string_append_printf(text, "past %s", row->object);
        add_digest(text, &row->digest);
        g_string_append_c(text, '\n');
    }
    for (guint i = 0; i < self->said->len; i++) {
        const ResealSaid *row = &g_array_index(self->said, ResealSaid, i);

        g_string_append(text, "said");
        add_digest(text, &row->name);
        add_digest(text, &row->before);
        add_digest(text, &row->now);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, false);
}
