#include "agent/media/matroska_reader.h"

#include "agent/media/matroska_ids.h"

#include <gio/gio.h>
#include <string.h>

#define UNKNOWN_SIZE UINT64_MAX

typedef struct {
    uint32_t id;
    uint64_t n_bytes; /* UNKNOWN_SIZE only for masters */
    const uint8_t *bytes;
} Element;

struct MatroskaReader {
    MatroskaReaderReadNext read_next;
    void *user_data;
    PlainBuffer segment;
    bool has_segment; /* false at the end */
    size_t at;
    MatroskaTrack track;
    uint64_t scale_ns;
    uint64_t cluster_time;
};

static bool
fail(GError **error, const char *what)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not a recorded segment: %s", what);
    return false;
}

static uint64_t
read_uint(const Element *element)
{
    uint64_t value = 0;

    for (uint64_t i = 0; i < element->n_bytes && i < 8; i++)
        value = value << 8 | element->bytes[i];
    return value;
}

/* RFC 8794 section 4: the number of leading zero bits is that of the bytes that follow.
 * `keeps_marker` for ids. */
static bool
read_vint(MatroskaReader *self, bool keeps_marker, uint64_t *value)
{
    const size_t n_left = self->segment.n_bytes - self->at;
    const uint8_t *bytes = self->segment.bytes + self->at;
    unsigned length = 1;

    if (n_left == 0 || bytes[0] == 0)
        return false;
    while ((bytes[0] & (0x80 >> (length - 1))) == 0)
        length++;
    if (length > n_left || (keeps_marker && length > 4))
        return false;
    *value = keeps_marker ? bytes[0] : bytes[0] & (0x7fU >> (length - 1));
    for (unsigned i = 1; i < length; i++)
        *value = *value << 8 | bytes[i];
    if (!keeps_marker && *value == (UINT64_C(1) << (7 * length)) - 1)
        *value = UNKNOWN_SIZE;
    self->at += length;
    return true;
}

static bool
is_entered(uint32_t id)
{
    return id == MATROSKA_SEGMENT || id == MATROSKA_INFO || id == MATROSKA_TRACKS ||
           id == MATROSKA_TRACK_ENTRY || id == MATROSKA_VIDEO || id == MATROSKA_AUDIO ||
           id == MATROSKA_CLUSTER || id == MATROSKA_BLOCK_GROUP;
}

/* Reads the next element; steps into masters that matter and over everything else. */
static bool
read_element(MatroskaReader *self, Element *element, GError **error)
{
    uint64_t id = 0;

    if (!read_vint(self, true, &id) || !read_vint(self, false, &element->n_bytes))
        return fail(error, "an element is cut off");
    element->id = (uint32_t) id;
    element->bytes = self->segment.bytes + self->at;
    if (is_entered(element->id))
        return true;
    if (element->n_bytes > self->segment.n_bytes - self->at)
        return fail(error, "an element is cut off");
    self->at += element->n_bytes;
    return true;
}

static void
note_header(MatroskaReader *self, const Element *element)
{
    MatroskaTrack *track = &self->track;

    switch (element->id) {
    case MATROSKA_TIMESTAMP_SCALE:
        self->scale_ns = read_uint(element);
        break;
    case MATROSKA_CODEC_ID:
        memcpy(track->codec_id, element->bytes, MIN(element->n_bytes, sizeof(track->codec_id) - 1));
        break;
    case MATROSKA_CODEC_PRIVATE:
        g_clear_pointer(&track->codec_private, g_bytes_unref);
        track->codec_private = g_bytes_new(element->bytes, element->n_bytes);
        break;
    case MATROSKA_PIXEL_WIDTH:
        track->width = (unsigned) read_uint(element);
        break;
    case MATROSKA_PIXEL_HEIGHT:
        track->height = (unsigned) read_uint(element);
        break;
    case MATROSKA_CHANNELS:
        track->channels = (unsigned) read_uint(element);
        break;
    default:
        break;
    }
}

static bool
read_header(MatroskaReader *self, GError **error)
{
    Element element = {0};

    if (!self->has_segment)
        return fail(error, "there is none");
    if (!read_element(self, &element, error))
        return false;
    if (element.id != MATROSKA_EBML)
        return fail(error, "the header is missing");
    while (self->at < self->segment.n_bytes) {
        const size_t before = self->at;

        if (!read_element(self, &element, error))
            return false;
        if (element.id == MATROSKA_CLUSTER) {
            self->at = before;
            break;
        }
        note_header(self, &element);
    }
    return self->track.codec_id[0] != '\0' || fail(error, "no track is described");
}

MatroskaReader *
matroska_reader_new(MatroskaReaderReadNext read_next, void *user_data, GError **error)
{
    g_autoptr(MatroskaReader) self = g_new0(MatroskaReader, 1);
    GError *cause = NULL;

    self->read_next = read_next;
    self->user_data = user_data;
    self->scale_ns = 1000000;
    self->track.channels = 1; /* what it is where the file does not say */
    self->has_segment = read_next(user_data, &self->segment, &cause);
    if (cause != NULL) {
        g_propagate_error(error, cause);
        return NULL;
    }
    if (!read_header(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

const MatroskaTrack *
matroska_reader_track(const MatroskaReader *self)
{
    return &self->track;
}

/* Track number (one byte), time relative to the cluster's, flags, the frame. RFC 9559 section 10.
 */
static bool
read_block(MatroskaReader *self, const Element *element, MatroskaFrame *frame, GError **error)
{
    const uint8_t *bytes = element->bytes;

    if (element->n_bytes < 4 || (bytes[0] & 0x80) == 0 || (bytes[3] & 0x06) != 0)
        return fail(error, "a block is malformed");

    const int16_t relative = (int16_t) (bytes[1] << 8 | bytes[2]);

    frame->bytes = bytes + 4;
    frame->n_bytes = element->n_bytes - 4;
    frame->time_us = ((int64_t) self->cluster_time + relative) * (int64_t) self->scale_ns / 1000;
    frame->is_keyframe = self->track.codec_id[0] == 'A' || (bytes[3] & 0x80) != 0;
    return true;
}

static bool
go_to_next_segment(MatroskaReader *self, GError **error)
{
    self->at = 0;
    self->has_segment = self->read_next(self->user_data, &self->segment, error);
    if (!self->has_segment)
        plain_buffer_clear(&self->segment);
    return self->has_segment;
}

bool
matroska_reader_next(MatroskaReader *self, MatroskaFrame *frame, GError **error)
{
    Element element = {0};

    if (!self->has_segment)
        return false;
    for (;;) {
        if (self->at == self->segment.n_bytes) {
            if (!go_to_next_segment(self, error))
                return false;
            continue;
        }
        if (!read_element(self, &element, error))
            return false;
        if (element.id == MATROSKA_TIMESTAMP) {
            self->cluster_time = read_uint(&element);
        } else if (element.id == MATROSKA_SIMPLE_BLOCK || element.id == MATROSKA_BLOCK) {
            return read_block(self, &element, frame, error);
        }
    }
}

void
matroska_reader_free(MatroskaReader *self)
{
    if (self == NULL)
        return;
    plain_buffer_clear(&self->segment);
    g_clear_pointer(&self->track.codec_private, g_bytes_unref);
    g_free(self);
}
