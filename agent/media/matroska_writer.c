/* 1. The head goes out with the first cluster: in a regular file with room for what is known only
 * at the end.
 * 2. A cluster is gathered whole, so that its length is known and it goes out in one write. Each
 * picture that can be read alone begins one, which the index names.
 * 3. At the end the index follows, and the head is written again over the first: it is as long. */
#include "agent/media/matroska_writer.h"

#include "agent/media/ebml.h"
#include "agent/media/export_fd.h"
#include "agent/media/matroska_ids.h"

#include <string.h>
#include <unistd.h>

#define CLUSTER_BYTES (512u << 10)
/* Id and length (eight bytes) of the cluster; its time (eight bytes). */
#define CLUSTER_HEAD_BYTES 22
/* Id, length (eight bytes), track (at most two), relative time, flags. */
#define BLOCK_HEAD_MAX_BYTES 14
/* A block's time counts from its cluster's, in 16 bits. */
#define CLUSTER_MAX_MS      5000
#define CLUSTER_BACK_MAX_MS 30000
#define MS_NS               1000000

#define LENGTH_UNKNOWN  ((UINT64_C(1) << 56) - 1)
#define LENGTH_OF_EIGHT (UINT64_C(1) << 56)
#define SEEK_BYTES      21 /* one row of the head's table of places */
#define SEEK_HEAD_BYTES (5 + 3 * SEEK_BYTES)

/* RFC 7845 section 4.6: what a decoder needs before the place that is jumped to. */
#define OPUS_PRE_ROLL_NS 80000000

typedef struct {
    const char *title;
    MatroskaTrack format;
    bool is_video;
} Track;

struct MatroskaWriter {
    ExporterOptions options;
    off_t base; /* where the file begins in its descriptor */
    bool is_seekable;
    bool is_begun;
    bool has_video;
    GArray *tracks;  /* Track */
    size_t n_before; /* what lies before the segment's content, from which places count */
    uint64_t at;     /* where the next cluster comes to lie */
    uint8_t *cluster;
    size_t n_cluster; /* 0: none is begun */
    int64_t cluster_ms;
    GByteArray *cues;
    int64_t end_us;
};

MatroskaWriter *
matroska_writer_new(const ExporterOptions *options)
{
    MatroskaWriter *self = g_new0(MatroskaWriter, 1);

    self->options = *options;
    self->is_seekable = options->write == NULL && export_fd_is_seekable(options->fd);
    self->base = self->is_seekable ? lseek(options->fd, 0, SEEK_CUR) : 0;
    self->tracks = g_array_new(FALSE, FALSE, sizeof(Track));
    self->cues = g_byte_array_new();
    self->cluster = g_malloc(CLUSTER_BYTES);
    return self;
}

unsigned
matroska_writer_add_track(MatroskaWriter *self, const char *title, const MatroskaTrack *track)
{
    const Track added = {title, *track, track->codec_id[0] == 'V'};

    self->has_video |= added.is_video;
    g_array_append_val(self->tracks, added);
    return self->tracks->len - 1;
}

static void
put_doc_type(const MatroskaWriter *self, GByteArray *out)
{
    const bool is_webm = self->options.container == EXPORTER_WEBM;
    GByteArray *content = g_byte_array_new();

    ebml_put_uint(content, MATROSKA_EBML_VERSION, 1);
    ebml_put_uint(content, MATROSKA_EBML_READ_VERSION, 1);
    ebml_put_uint(content, MATROSKA_EBML_MAX_ID_LENGTH, 4);
    ebml_put_uint(content, MATROSKA_EBML_MAX_SIZE_LENGTH, 8);
    ebml_put_text(content, MATROSKA_DOC_TYPE, is_webm ? "webm" : "matroska");
    ebml_put_uint(content, MATROSKA_DOC_TYPE_VERSION, 4);
    ebml_put_uint(content, MATROSKA_DOC_TYPE_READ_VERSION, 2);
    ebml_put_master(out, MATROSKA_EBML, content);
}

static void
put_info(const MatroskaWriter *self, GByteArray *out)
{
    GByteArray *content = g_byte_array_new();

    ebml_put_uint(content, MATROSKA_TIMESTAMP_SCALE, MS_NS);
    if (self->is_seekable)
        ebml_put_float(content, MATROSKA_DURATION, (double) self->end_us / 1000);
    ebml_put_text(content, MATROSKA_MUXING_APP, "Sealtape");
    ebml_put_text(content, MATROSKA_WRITING_APP, "Sealtape");
    ebml_put_master(out, MATROSKA_INFO, content);
}

static void
put_video(const MatroskaTrack *format, GByteArray *out)
{
    GByteArray *content = g_byte_array_new();

    ebml_put_uint(content, MATROSKA_FLAG_INTERLACED, 2); /* it is not */
    ebml_put_uint(content, MATROSKA_PIXEL_WIDTH, format->width);
    ebml_put_uint(content, MATROSKA_PIXEL_HEIGHT, format->height);
    ebml_put_master(out, MATROSKA_VIDEO, content);
}

static void
put_audio(const MatroskaTrack *format, GByteArray *out)
{
    GByteArray *content = g_byte_array_new();

    ebml_put_float(content, MATROSKA_SAMPLING_FREQUENCY, format->rate);
    ebml_put_uint(content, MATROSKA_CHANNELS, format->channels);
    ebml_put_master(out, MATROSKA_AUDIO, content);
}

static void
put_track(const Track *track, unsigned number, GByteArray *out)
{
    const MatroskaTrack *format = &track->format;
    GByteArray *content = g_byte_array_new();

    ebml_put_uint(content, MATROSKA_TRACK_NUMBER, number);
    ebml_put_uint(content, MATROSKA_TRACK_UID, number);
    ebml_put_uint(content, MATROSKA_TRACK_TYPE, track->is_video ? 1 : 2);
    ebml_put_uint(content, MATROSKA_FLAG_LACING, 0);
    ebml_put_text(content, MATROSKA_NAME, track->title);
    ebml_put_text(content, MATROSKA_LANGUAGE, "und");
    ebml_put_text(content, MATROSKA_CODEC_ID, format->codec_id);
    if (format->codec_private != NULL) {
        gsize n_bytes = 0;
        const uint8_t *bytes = g_bytes_get_data(format->codec_private, &n_bytes);

        ebml_put_bytes(content, MATROSKA_CODEC_PRIVATE, bytes, n_bytes);
    }
    if (strcmp(format->codec_id, "A_OPUS") == 0)
        ebml_put_uint(content, MATROSKA_SEEK_PRE_ROLL, OPUS_PRE_ROLL_NS);
    if (track->is_video) {
        put_video(format, content);
    } else {
        put_audio(format, content);
    }
    ebml_put_master(out, MATROSKA_TRACK_ENTRY, content);
}

static void
put_tracks(const MatroskaWriter *self, GByteArray *out)
{
    GByteArray *content = g_byte_array_new();

    for (guint i = 0; i < self->tracks->len; i++)
        put_track(&g_array_index(self->tracks, Track, i), i + 1, content);
    ebml_put_master(out, MATROSKA_TRACKS, content);
}

/* Of the whole file: RFC 9559 section 5.1.8. */
static void
put_tags(const MatroskaWriter *self, GByteArray *out)
{
    GByteArray *simple = g_byte_array_new();
    GByteArray *tag = g_byte_array_new();
    GByteArray *content = g_byte_array_new();

    ebml_put_text(simple, MATROSKA_TAG_NAME, "COMMENT");
    ebml_put_text(simple, MATROSKA_TAG_STRING, self->options.notice);
    ebml_put_master(tag, MATROSKA_TARGETS, g_byte_array_new());
    ebml_put_master(tag, MATROSKA_SIMPLE_TAG, simple);
    ebml_put_master(content, MATROSKA_TAG, tag);
    ebml_put_master(out, MATROSKA_TAGS, content);
}

static void
put_place(GByteArray *out, uint32_t id, uint64_t place)
{
    GByteArray *content = g_byte_array_new();
    uint8_t name[4];

    ebml_write_number(name, sizeof(name), id);
    ebml_put_bytes(content, MATROSKA_SEEK_ID, name, sizeof(name));
    ebml_put_long(content, MATROSKA_SEEK_POSITION, place);
    ebml_put_master(out, MATROSKA_SEEK, content);
}

/* The index is named only once there is one: until then nothing takes its place. */
static void
put_places(const MatroskaWriter *self, GByteArray *out, size_t n_info, uint64_t cues_at)
{
    static const uint8_t nothing[SEEK_BYTES - 2] = {0};
    GByteArray *content = g_byte_array_new();

    put_place(content, MATROSKA_INFO, SEEK_HEAD_BYTES);
    put_place(content, MATROSKA_TRACKS, SEEK_HEAD_BYTES + n_info);
    if (cues_at > 0) {
        put_place(content, MATROSKA_CUES, cues_at);
    } else {
        ebml_put_bytes(content, MATROSKA_VOID, nothing, sizeof(nothing));
    }
    ebml_put_master(out, MATROSKA_SEEK_HEAD, content);
}

/* Everything before the first cluster. `n_content`: of the segment, LENGTH_UNKNOWN until the end;
 * `cues_at`: 0 if there is no index. */
static GByteArray *
new_head(MatroskaWriter *self, uint64_t n_content, uint64_t cues_at)
{
    GByteArray *head = g_byte_array_new();
    g_autoptr(GByteArray) info = g_byte_array_new();
    uint8_t segment[12];

    put_info(self, info);
    put_doc_type(self, head);
    ebml_write_number(segment, 4, MATROSKA_SEGMENT);
    ebml_write_number(segment + 4, 8, LENGTH_OF_EIGHT | n_content);
    g_byte_array_append(head, segment, sizeof(segment));
    self->n_before = head->len;
    if (self->is_seekable)
        put_places(self, head, info->len, cues_at);
    g_byte_array_append(head, info->data, info->len);
    put_tracks(self, head);
    if (self->options.notice != NULL)
        put_tags(self, head);
    return head;
}

static bool
write_out(const MatroskaWriter *self, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    const ExporterOptions *to = &self->options;

    return to->write != NULL ? to->write(to->user_data, bytes, n_bytes, error)
                             : export_fd_write(to->fd, bytes, n_bytes, error);
}

static bool
begin(MatroskaWriter *self, GError **error)
{
    g_autoptr(GByteArray) head = NULL;

    if (self->is_begun)
        return true;
    head = new_head(self, LENGTH_UNKNOWN, 0);
    self->is_begun = true;
    self->at = head->len - self->n_before;
    return write_out(self, head->data, head->len, error);
}

static void
write_cluster_head(uint8_t *head, size_t n_content, int64_t time_ms)
{
    ebml_write_number(head, 4, MATROSKA_CLUSTER);
    ebml_write_number(head + 4, 8, LENGTH_OF_EIGHT | n_content);
    head[12] = MATROSKA_TIMESTAMP;
    head[13] = 0x88; /* eight bytes */
    ebml_write_number(head + 14, 8, (uint64_t) time_ms);
}

/* `n_more`: what the caller writes behind it, which belongs to it. */
static bool
write_cluster(MatroskaWriter *self, size_t n_more, GError **error)
{
    const size_t n_bytes = self->n_cluster;
    bool is_good = false;

    if (n_bytes == 0)
        return true;
    write_cluster_head(self->cluster, n_bytes - 12 + n_more, self->cluster_ms);
    is_good = write_out(self, self->cluster, n_bytes, error);
    explicit_bzero(self->cluster, n_bytes);
    self->at += n_bytes + n_more;
    self->n_cluster = 0;
    return is_good;
}

static void
note_cue(MatroskaWriter *self, unsigned track, int64_t time_ms)
{
    GByteArray *position = NULL;
    GByteArray *point = NULL;

    if (!self->is_seekable)
        return;
    position = g_byte_array_new();
    point = g_byte_array_new();
    ebml_put_uint(position, MATROSKA_CUE_TRACK, track + 1);
    ebml_put_uint(position, MATROSKA_CUE_CLUSTER_POSITION, self->at);
    ebml_put_uint(point, MATROSKA_CUE_TIME, (uint64_t) time_ms);
    ebml_put_master(point, MATROSKA_CUE_TRACK_POSITIONS, position);
    ebml_put_master(self->cues, MATROSKA_CUE_POINT, point);
}

static bool
needs_cluster(const MatroskaWriter *self, const MatroskaBlock *block, int64_t time_ms, bool is_mark)
{
    const size_t n_bytes = BLOCK_HEAD_MAX_BYTES + block->frame.n_bytes;

    return self->n_cluster == 0 || is_mark || n_bytes > CLUSTER_BYTES - self->n_cluster ||
           time_ms > self->cluster_ms + CLUSTER_MAX_MS ||
           time_ms < self->cluster_ms - CLUSTER_BACK_MAX_MS;
}

static void
gather_block_head(MatroskaWriter *self, const MatroskaBlock *block, int64_t time_ms)
{
    const unsigned number = block->track + 1;
    const size_t n_number = number < 0x7f ? 1 : 2;
    uint8_t *head = self->cluster + self->n_cluster;

    head[0] = MATROSKA_SIMPLE_BLOCK;
    ebml_write_number(head + 1, 8, LENGTH_OF_EIGHT | (n_number + 3 + block->frame.n_bytes));
    ebml_write_number(head + 9, n_number, number | (n_number == 1 ? 0x80U : 0x4000U));
    ebml_write_number(head + 9 + n_number, 2, (uint64_t) (time_ms - self->cluster_ms));
    head[11 + n_number] = block->frame.is_keyframe ? 0x80 : 0;
    self->n_cluster += 12 + n_number;
}

static bool
write_block(MatroskaWriter *self, const MatroskaBlock *block, int64_t time_ms, GError **error)
{
    const MatroskaFrame *frame = &block->frame;

    gather_block_head(self, block, time_ms);
    if (frame->n_bytes > CLUSTER_BYTES - self->n_cluster) {
        /* The first of its cluster, and the only one. */
        return write_cluster(self, frame->n_bytes, error) &&
               write_out(self, frame->bytes, frame->n_bytes, error);
    }
    if (frame->n_bytes > 0)
        memcpy(self->cluster + self->n_cluster, frame->bytes, frame->n_bytes);
    self->n_cluster += frame->n_bytes;
    return true;
}

bool
matroska_writer_push(MatroskaWriter *self, const MatroskaBlock *block, GError **error)
{
    const bool is_video = g_array_index(self->tracks, Track, block->track).is_video;
    const bool is_mark = is_video && block->frame.is_keyframe;
    const int64_t time_ms = (block->frame.time_us + 500) / 1000;

    if (needs_cluster(self, block, time_ms, is_mark)) {
        if (!begin(self, error) || !write_cluster(self, 0, error))
            return false;
        self->cluster_ms = time_ms;
        self->n_cluster = CLUSTER_HEAD_BYTES;
        if (is_mark || !self->has_video)
            note_cue(self, block->track, time_ms);
    }
    self->end_us = MAX(self->end_us, block->frame.time_us + block->duration_us);
    return write_block(self, block, time_ms, error);
}

static bool
write_index(MatroskaWriter *self, GError **error)
{
    g_autoptr(GByteArray) index = g_byte_array_new();
    g_autoptr(GByteArray) head = NULL;

    if (self->cues->len > 0)
        ebml_put_master(index, MATROSKA_CUES, g_byte_array_ref(self->cues));
    if (!write_out(self, index->data, index->len, error))
        return false;
    head = new_head(self, self->at + index->len, index->len > 0 ? self->at : 0);
    return pwrite(self->options.fd, head->data, head->len, self->base) == (ssize_t) head->len ||
           export_fd_fail_errno(error);
}

bool
matroska_writer_finish(MatroskaWriter *self, GError **error)
{
    return begin(self, error) && write_cluster(self, 0, error) &&
           (!self->is_seekable || write_index(self, error));
}

void
matroska_writer_free(MatroskaWriter *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->tracks);
    g_byte_array_unref(self->cues);
    explicit_bzero(self->cluster, CLUSTER_BYTES);
    g_free(self->cluster);
    g_free(self);
}
