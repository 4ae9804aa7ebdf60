#include "agent/media/encoded_track.h"

#include <gio/gio.h>

struct EncodedTrack {
    char *title;
    StallGuard *guard;
    GArray *parts; /* of ExporterInput */
    MatroskaReader *reader;
    EncodedFrame next;
    bool has_next;
    bool has_segment; /* the part that is read gave one */
    bool has_failed;  /* it said why it gives none */
};

EncodedTrack *
encoded_track_new(const char *title, StallGuard *guard)
{
    EncodedTrack *self = g_new0(EncodedTrack, 1);

    self->title = g_strdup(title);
    self->guard = guard;
    self->parts = g_array_new(FALSE, FALSE, sizeof(ExporterInput));
    return self;
}

void
encoded_track_add(EncodedTrack *self, const ExporterInput *input)
{
    g_array_append_val(self->parts, *input);
}

static bool
on_read_next(void *user_data, PlainBuffer *segment, GError **error)
{
    EncodedTrack *self = user_data;
    const ExporterInput *part = &g_array_index(self->parts, ExporterInput, self->next.part - 1);
    GError *cause = NULL;
    bool is_there = false;

    if (stall_guard_is_given_up(self->guard)) {
        cause = g_error_new(G_IO_ERROR, G_IO_ERROR_CANCELLED, "given up");
    } else {
        is_there = part->read_next(part->user_data, segment, &cause);
    }

    self->has_segment |= is_there;
    self->has_failed |= cause != NULL;
    if (cause != NULL)
        g_propagate_error(error, cause);
    return is_there;
}

static bool
open_part(EncodedTrack *self, GError **error)
{
    GError *cause = NULL;

    self->has_segment = false;
    self->next.part++;
    self->reader = matroska_reader_new(on_read_next, self, &cause);
    if (self->reader == NULL) {
        /* All of the part was left out because its first segment is damaged. */
        if (!self->has_segment && !self->has_failed) {
            g_error_free(cause);
            return true;
        }
        g_propagate_prefixed_error(error, cause, "track %s: ", self->title);
        return false;
    }
    self->next.track = matroska_reader_track(self->reader);
    self->next.codec = export_codec_find(self->next.track);
    if (self->next.codec == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "track %s has the unknown codec %s",
                    self->title, self->next.track->codec_id);
    }
    return self->next.codec != NULL;
}

bool
encoded_track_peek(EncodedTrack *self, EncodedFrame *next, GError **error)
{
    GError *cause = NULL;

    while (!self->has_next) {
        if (self->reader != NULL && matroska_reader_next(self->reader, &self->next.frame, &cause)) {
            self->has_next = true;
            break;
        }
        if (cause != NULL) {
            g_propagate_prefixed_error(error, cause, "track %s: ", self->title);
            return false;
        }
        g_clear_pointer(&self->reader, matroska_reader_free);
        if (self->next.part == self->parts->len || !open_part(self, error))
            return false;
    }
    *next = self->next;
    return true;
}

void
encoded_track_pop(EncodedTrack *self)
{
    self->has_next = false;
}

const char *
encoded_track_title(const EncodedTrack *self)
{
    return self->title;
}

void
encoded_track_free(EncodedTrack *self)
{
    if (self == NULL)
        return;
    matroska_reader_free(self->reader);
    g_array_unref(self->parts);
    g_free(self->title);
    g_free(self);
}
