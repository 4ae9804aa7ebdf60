#include "agent/media/matroska_ids.h"
#include "agent/media/matroska_writer.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECOND_US INT64_C(1000000)

static const MatroskaTrack vp8 = {.codec_id = "V_VP8", .width = 640, .height = 480};
static const MatroskaTrack opus = {.codec_id = "A_OPUS", .channels = 2, .rate = 48000};

typedef struct {
    unsigned track;
    int64_t time_us;
    size_t n_bytes;
    bool is_keyframe;
} Given;

/* What a reader finds. */
typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
    size_t segment_at;
    bool has_length; /* of the segment */
    double duration_ms;
    GArray *blocks;   /* Found */
    GArray *clusters; /* size_t: where, from segment_at */
    GArray *cues;     /* Cue */
    GArray *places;   /* Place */
    GArray *numbers;  /* unsigned: the tracks that are described */
    uint64_t cluster_ms;
} Scan;

typedef struct {
    unsigned track;
    int64_t time_ms;
    size_t n_bytes;
    bool is_keyframe;
    uint8_t first, last;
    size_t cluster_at;
} Found;

typedef struct {
    uint64_t time_ms, track, place;
} Cue;

typedef struct {
    uint64_t id, place;
} Place;

static uint64_t
number_at(const uint8_t *bytes, size_t n_bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n_bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t
read_vint(const Scan *self, size_t *at, bool keeps_marker)
{
    const unsigned length = (unsigned) __builtin_clz((unsigned) self->bytes[*at] << 24) + 1;
    const uint64_t value = number_at(self->bytes + *at, length);

    g_assert_cmpuint(*at + length, <=, self->n_bytes);
    *at += length;
    return keeps_marker ? value : value & ((UINT64_C(1) << (7 * length)) - 1);
}

static void
scan_block(Scan *self, size_t at, size_t end)
{
    Found found = {.cluster_at = g_array_index(self->clusters, size_t, self->clusters->len - 1)};

    g_assert_cmphex(self->bytes[at], !=, 0xff); /* all ones: reserved */
    found.track = (unsigned) read_vint(self, &at, false);
    found.time_ms = (int64_t) self->cluster_ms + (int16_t) number_at(self->bytes + at, 2);
    found.is_keyframe = self->bytes[at + 2] == 0x80;
    g_assert_cmpuint(self->bytes[at + 2] & 0x7f, ==, 0);
    at += 3;
    found.n_bytes = end - at;
    found.first = self->bytes[at];
    found.last = self->bytes[end - 1];
    g_array_append_val(self->blocks, found);
}

static bool
is_master(uint64_t id)
{
    static const uint64_t masters[] = {
        MATROSKA_SEEK_HEAD,  MATROSKA_SEEK, MATROSKA_INFO,      MATROSKA_TRACKS,
        MATROSKA_CLUSTER,    MATROSKA_CUES, MATROSKA_CUE_POINT, MATROSKA_CUE_TRACK_POSITIONS,
        MATROSKA_TRACK_ENTRY};

    for (size_t i = 0; i < G_N_ELEMENTS(masters); i++) {
        if (masters[i] == id)
            return true;
    }
    return false;
}

static void
scan_value(Scan *self, uint64_t id, size_t at, size_t end)
{
    const uint64_t value = number_at(self->bytes + at, MIN(end - at, 8));
    const unsigned short_value = (unsigned) value;
    const Place place = {.id = value};
    const Cue cue = {.time_ms = value};

    if (id == MATROSKA_DURATION)
        memcpy(&self->duration_ms, &value, sizeof(value));
    if (id == MATROSKA_TIMESTAMP)
        self->cluster_ms = value;
    if (id == MATROSKA_SIMPLE_BLOCK)
        scan_block(self, at, end);
    if (id == MATROSKA_SEEK_ID)
        g_array_append_val(self->places, place);
    if (id == MATROSKA_SEEK_POSITION)
        g_array_index(self->places, Place, self->places->len - 1).place = value;
    if (id == MATROSKA_CUE_TIME)
        g_array_append_val(self->cues, cue);
    if (id == MATROSKA_CUE_TRACK)
        g_array_index(self->cues, Cue, self->cues->len - 1).track = value;
    if (id == MATROSKA_CUE_CLUSTER_POSITION)
        g_array_index(self->cues, Cue, self->cues->len - 1).place = value;
    if (id == MATROSKA_TRACK_NUMBER)
        g_array_append_val(self->numbers, short_value);
}

/* Each element must end where the one around it does. */
static void
scan_elements(Scan *self, size_t at, size_t end)
{
    while (at < end) {
        const size_t start = at - self->segment_at;
        const uint64_t id = read_vint(self, &at, true);
        const uint64_t n_bytes = read_vint(self, &at, false);

        g_assert_cmpuint(n_bytes, <=, end - at);
        if (id == MATROSKA_CLUSTER)
            g_array_append_val(self->clusters, start);
        if (is_master(id))
            scan_elements(self, at, at + n_bytes);
        else
            scan_value(self, id, at, at + n_bytes);
        at += n_bytes;
    }
    g_assert_cmpuint(at, ==, end);
}

static void
scan_file(Scan *self, const GByteArray *file)
{
    size_t at = 0;

    self->bytes = file->data;
    self->n_bytes = file->len;
    self->blocks = g_array_new(FALSE, TRUE, sizeof(Found));
    self->clusters = g_array_new(FALSE, TRUE, sizeof(size_t));
    self->cues = g_array_new(FALSE, TRUE, sizeof(Cue));
    self->places = g_array_new(FALSE, TRUE, sizeof(Place));
    self->numbers = g_array_new(FALSE, TRUE, sizeof(unsigned));
    g_assert_cmpuint(read_vint(self, &at, true), ==, MATROSKA_EBML);
    const uint64_t n_head = read_vint(self, &at, false);
    at += n_head;
    g_assert_cmpuint(read_vint(self, &at, true), ==, MATROSKA_SEGMENT);
    const uint64_t n_segment = read_vint(self, &at, false);
    self->segment_at = at;
    self->has_length = n_segment != (UINT64_C(1) << 56) - 1;
    if (self->has_length)
        g_assert_cmpuint(n_segment, ==, file->len - at);
    scan_elements(self, at, file->len);
}

static void
scan_clear(Scan *self)
{
    g_array_unref(self->blocks);
    g_array_unref(self->clusters);
    g_array_unref(self->cues);
    g_array_unref(self->places);
    g_array_unref(self->numbers);
}

static void
push(MatroskaWriter *writer, const Given *given)
{
    g_autofree uint8_t *bytes = g_malloc(given->n_bytes);
    g_autoptr(GError) error = NULL;
    const MatroskaBlock block = {
        given->track, {bytes, given->n_bytes, given->time_us, given->is_keyframe},
         20000
    };

    memset(bytes, (int) given->track + 1, given->n_bytes);
    bytes[given->n_bytes - 1] = 0xee;
    g_assert_true(matroska_writer_push(writer, &block, &error));
    g_assert_no_error(error);
}

static GByteArray *
read_file(int fd)
{
    const off_t n_bytes = lseek(fd, 0, SEEK_END);
    GByteArray *file = g_byte_array_new();

    g_byte_array_set_size(file, (guint) n_bytes);
    g_assert_cmpint(pread(fd, file->data, file->len, 0), ==, n_bytes);
    return file;
}

static GByteArray *
write_file(const Given *given, size_t n_given, unsigned n_tracks)
{
    const int fd = memfd_create("matroska", MFD_CLOEXEC);
    g_autoptr(MatroskaWriter) writer = matroska_writer_new(&(ExporterOptions){.fd = fd});
    g_autoptr(GError) error = NULL;
    GByteArray *file = NULL;

    for (unsigned i = 0; i < n_tracks; i++)
        g_assert_cmpuint(matroska_writer_add_track(writer, "p1", i == 0 ? &vp8 : &opus), ==, i);
    for (size_t i = 0; i < n_given; i++)
        push(writer, &given[i]);
    g_assert_true(matroska_writer_finish(writer, &error));
    g_assert_no_error(error);
    file = read_file(fd);
    close(fd);
    return file;
}

static void
check_blocks(const Scan *scan, const Given *given, size_t n_given)
{
    g_assert_cmpuint(scan->blocks->len, ==, n_given);
    for (size_t i = 0; i < n_given; i++) {
        const Found *found = &g_array_index(scan->blocks, Found, i);

        g_assert_cmpuint(found->track, ==, given[i].track + 1);
        g_assert_cmpint(found->time_ms, ==, (given[i].time_us + 500) / 1000);
        g_assert_cmpuint(found->n_bytes, ==, given[i].n_bytes);
        g_assert_cmpint(found->is_keyframe, ==, given[i].is_keyframe);
        g_assert_cmpuint(found->first, ==,
                         given[i].n_bytes > 1 ? (uint8_t) (given[i].track + 1) : 0xee);
        g_assert_cmpuint(found->last, ==, 0xee);
    }
}

/* Small ones, one that fills a cluster alone, ones around its limit; steps that 16 bits of
 * milliseconds do not hold, both ways. */
static const Given frames[] = {
    {0, 0,                1000,             true },
    {1, 1499,             1,                true },
    {0, 33333,            524300,           false},
    {1, 40000,            524288 - 22 - 13, true },
    {0, 66666,            3000000,          true },
    {1, 60000,            100,              true },
    {0, 100000,           524288 - 22 - 14, false},
    {1, 120000,           524000,           true },
    {0, 3600 * SECOND_US, 1000,             false},
    {1, 3700 * SECOND_US, 1000,             true },
    {0, 3630 * SECOND_US, 1000,             true },
    {1, 3700 * SECOND_US, 1000,             true },
    {1, 3650 * SECOND_US, 1000,             true },
};

static void
test_keeps_every_frame(void)
{
    g_autoptr(GByteArray) file = write_file(frames, G_N_ELEMENTS(frames), 2);
    Scan scan = {0};

    scan_file(&scan, file);

    check_blocks(&scan, frames, G_N_ELEMENTS(frames));
    g_assert_true(scan.has_length);
    g_assert_cmpfloat(scan.duration_ms, ==, 3700020);
    scan_clear(&scan);
}

static void
test_index_leads_to_pictures(void)
{
    g_autoptr(GByteArray) file = write_file(frames, G_N_ELEMENTS(frames), 2);
    Scan scan = {0};
    guint n_pictures = 0;

    scan_file(&scan, file);

    g_assert_cmpuint(scan.places->len, ==, 3);
    for (guint i = 0; i < scan.places->len; i++) {
        const Place *place = &g_array_index(scan.places, Place, i);

        g_assert_cmpuint(number_at(file->data + scan.segment_at + place->place, 4), ==, place->id);
    }
    for (guint i = 0; i < scan.blocks->len; i++) {
        const Found *found = &g_array_index(scan.blocks, Found, i);
        const Cue *cue = &g_array_index(scan.cues, Cue, n_pictures);

        if (found->track != 1 || !found->is_keyframe)
            continue;
        g_assert_cmpuint(n_pictures++, <, scan.cues->len);
        g_assert_cmpuint(cue->time_ms, ==, (uint64_t) found->time_ms);
        g_assert_cmpuint(cue->track, ==, 1);
        g_assert_cmpuint(cue->place, ==, found->cluster_at);
        g_assert_true(i == 0 || found[-1].cluster_at != found->cluster_at);
    }
    g_assert_cmpuint(scan.cues->len, ==, n_pictures);
    scan_clear(&scan);
}

static void
test_sound_alone_has_an_index(void)
{
    const int fd = memfd_create("matroska", MFD_CLOEXEC);
    const ExporterOptions options = {.container = EXPORTER_WEBM, .fd = fd};
    g_autoptr(MatroskaWriter) writer = matroska_writer_new(&options);
    g_autoptr(GError) error = NULL;
    Scan scan = {0};

    (void) matroska_writer_add_track(writer, "p1-audio", &opus);
    for (int i = 0; i < 1000; i++)
        push(writer, &(Given){0, INT64_C(20000) * i, 80, true});
    g_assert_true(matroska_writer_finish(writer, &error));
    g_autoptr(GByteArray) file = read_file(fd);
    scan_file(&scan, file);

    g_assert_cmpuint(scan.blocks->len, ==, 1000);
    g_assert_cmpuint(scan.cues->len, ==, 4); /* one for each five seconds */
    scan_clear(&scan);
    close(fd);
}

static void
test_numbers_many_tracks(void)
{
    g_autoptr(GArray) given = g_array_new(FALSE, FALSE, sizeof(Given));
    Scan scan = {0};

    for (unsigned i = 0; i < 300; i++) {
        const Given one = {i, INT64_C(1000) * i, 50, true};

        g_array_append_val(given, one);
    }
    g_autoptr(GByteArray) file = write_file((const Given *) given->data, given->len, given->len);
    scan_file(&scan, file);

    check_blocks(&scan, (const Given *) given->data, given->len);
    g_assert_cmpuint(scan.numbers->len, ==, 300);
    for (unsigned i = 0; i < 300; i++)
        g_assert_cmpuint(g_array_index(scan.numbers, unsigned, i), ==, i + 1);
    scan_clear(&scan);
}

static void
test_pipe_gets_no_index(void)
{
    const Given given[] = {
        {0, 0,     1000, true},
        {1, 10000, 80,   true}
    };
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    Scan scan = {0};
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_autoptr(MatroskaWriter) writer = matroska_writer_new(&(ExporterOptions){.fd = ends[1]});
    (void) matroska_writer_add_track(writer, "p1-video", &vp8);
    (void) matroska_writer_add_track(writer, "p1-audio", &opus);
    for (size_t i = 0; i < G_N_ELEMENTS(given); i++)
        push(writer, &given[i]);
    g_assert_true(matroska_writer_finish(writer, &error));
    g_byte_array_set_size(file, 16384);
    g_byte_array_set_size(file, (guint) read(ends[0], file->data, file->len));
    scan_file(&scan, file);

    check_blocks(&scan, given, G_N_ELEMENTS(given));
    g_assert_false(scan.has_length);
    g_assert_cmpuint(scan.places->len + scan.cues->len, ==, 0);
    scan_clear(&scan);
    close(ends[0]);
    close(ends[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/matroska-writer/keeps-every-frame", test_keeps_every_frame);
    g_test_add_func("/matroska-writer/index-leads-to-pictures", test_index_leads_to_pictures);
    g_test_add_func("/matroska-writer/sound-alone-has-an-index", test_sound_alone_has_an_index);
    g_test_add_func("/matroska-writer/numbers-many-tracks", test_numbers_many_tracks);
    g_test_add_func("/matroska-writer/pipe-gets-no-index", test_pipe_gets_no_index);
    return g_test_run();
}
