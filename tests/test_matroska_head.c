#include "agent/media/matroska_ids.h"
#include "agent/media/matroska_writer.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a whole small file says, read by a reader of its own and told as text: `Name{...}`,
 * `Name=value;`, with the place of what an index may name. */

#define LENGTH_UNKNOWN ((UINT64_C(1) << 56) - 1)

typedef enum {
    KIND_MASTER,
    KIND_TEXT,
    KIND_NUMBER,
    KIND_FLOAT,
    KIND_BYTES,
} Kind;

static const struct {
    uint32_t id;
    const char *name;
    Kind kind;
} elements[] = {
    {MATROSKA_EBML,                  "EBML",               KIND_MASTER},
    {MATROSKA_EBML_VERSION,          "EBMLVersion",        KIND_NUMBER},
    {MATROSKA_EBML_READ_VERSION,     "EBMLReadVersion",    KIND_NUMBER},
    {MATROSKA_EBML_MAX_ID_LENGTH,    "EBMLMaxIDLength",    KIND_NUMBER},
    {MATROSKA_EBML_MAX_SIZE_LENGTH,  "EBMLMaxSizeLength",  KIND_NUMBER},
    {MATROSKA_DOC_TYPE,              "DocType",            KIND_TEXT  },
    {MATROSKA_DOC_TYPE_VERSION,      "DocTypeVersion",     KIND_NUMBER},
    {MATROSKA_DOC_TYPE_READ_VERSION, "DocTypeReadVersion", KIND_NUMBER},
    {MATROSKA_SEGMENT,               "Segment",            KIND_MASTER},
    {MATROSKA_SEEK_HEAD,             "SeekHead",           KIND_MASTER},
    {MATROSKA_SEEK,                  "Seek",               KIND_MASTER},
    {MATROSKA_SEEK_ID,               "SeekID",             KIND_BYTES },
    {MATROSKA_SEEK_POSITION,         "SeekPosition",       KIND_NUMBER},
    {MATROSKA_INFO,                  "Info",               KIND_MASTER},
    {MATROSKA_VOID,                  "Void",               KIND_BYTES },
    {MATROSKA_TIMESTAMP_SCALE,       "TimestampScale",     KIND_NUMBER},
    {MATROSKA_DURATION,              "Duration",           KIND_FLOAT },
    {MATROSKA_MUXING_APP,            "MuxingApp",          KIND_TEXT  },
    {MATROSKA_WRITING_APP,           "WritingApp",         KIND_TEXT  },
    {MATROSKA_TRACKS,                "Tracks",             KIND_MASTER},
    {MATROSKA_TRACK_ENTRY,           "TrackEntry",         KIND_MASTER},
    {MATROSKA_TRACK_NUMBER,          "TrackNumber",        KIND_NUMBER},
    {MATROSKA_TRACK_UID,             "TrackUID",           KIND_NUMBER},
    {MATROSKA_TRACK_TYPE,            "TrackType",          KIND_NUMBER},
    {MATROSKA_FLAG_LACING,           "FlagLacing",         KIND_NUMBER},
    {MATROSKA_NAME,                  "Name",               KIND_TEXT  },
    {MATROSKA_LANGUAGE,              "Language",           KIND_TEXT  },
    {MATROSKA_CODEC_ID,              "CodecID",            KIND_TEXT  },
    {MATROSKA_CODEC_PRIVATE,         "CodecPrivate",       KIND_BYTES },
    {MATROSKA_SEEK_PRE_ROLL,         "SeekPreRoll",        KIND_NUMBER},
    {MATROSKA_VIDEO,                 "Video",              KIND_MASTER},
    {MATROSKA_FLAG_INTERLACED,       "FlagInterlaced",     KIND_NUMBER},
    {MATROSKA_PIXEL_WIDTH,           "PixelWidth",         KIND_NUMBER},
    {MATROSKA_PIXEL_HEIGHT,          "PixelHeight",        KIND_NUMBER},
    {MATROSKA_AUDIO,                 "Audio",              KIND_MASTER},
    {MATROSKA_SAMPLING_FREQUENCY,    "SamplingFrequency",  KIND_FLOAT },
    {MATROSKA_CHANNELS,              "Channels",           KIND_NUMBER},
    {MATROSKA_CLUSTER,               "Cluster",            KIND_MASTER},
    {MATROSKA_TIMESTAMP,             "Timestamp",          KIND_NUMBER},
    {MATROSKA_SIMPLE_BLOCK,          "SimpleBlock",        KIND_BYTES },
    {MATROSKA_TAGS,                  "Tags",               KIND_MASTER},
    {MATROSKA_TAG,                   "Tag",                KIND_MASTER},
    {MATROSKA_TARGETS,               "Targets",            KIND_MASTER},
    {MATROSKA_SIMPLE_TAG,            "SimpleTag",          KIND_MASTER},
    {MATROSKA_TAG_NAME,              "TagName",            KIND_TEXT  },
    {MATROSKA_TAG_STRING,            "TagString",          KIND_TEXT  },
    {MATROSKA_CUES,                  "Cues",               KIND_MASTER},
    {MATROSKA_CUE_POINT,             "CuePoint",           KIND_MASTER},
    {MATROSKA_CUE_TIME,              "CueTime",            KIND_NUMBER},
    {MATROSKA_CUE_TRACK_POSITIONS,   "CueTrackPositions",  KIND_MASTER},
    {MATROSKA_CUE_TRACK,             "CueTrack",           KIND_NUMBER},
    {MATROSKA_CUE_CLUSTER_POSITION,  "CueClusterPosition", KIND_NUMBER},
};

typedef struct {
    const uint8_t *bytes;
    size_t segment_at; /* where its content begins */
    GString *told;
} Reading;

static uint64_t
number_at(const uint8_t *bytes, size_t n_bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n_bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t
read_vint(const Reading *self, size_t *at, bool keeps_marker)
{
    const unsigned length = (unsigned) __builtin_clz((unsigned) self->bytes[*at] << 24) + 1;
    const uint64_t value = number_at(self->bytes + *at, length);

    *at += length;
    return keeps_marker ? value : value & ((UINT64_C(1) << (7 * length)) - 1);
}

static void
tell_value(Reading *self, Kind kind, const uint8_t *bytes, size_t n_bytes)
{
    const uint64_t value = number_at(bytes, MIN(n_bytes, 8));
    double number = 0;

    memcpy(&number, &value, sizeof(number));
    if (kind == KIND_TEXT) {
        g_string_append_len(self->told, (const char *) bytes, (gssize) n_bytes);
    } else if (kind == KIND_FLOAT) {
        g_assert_cmpuint(n_bytes, ==, 8);
        g_string_append_printf(self->told, "%g", number);
    } else if (kind == KIND_NUMBER) {
        g_string_append_printf(self->told, "%" G_GUINT64_FORMAT, value);
    }
    for (size_t i = 0; i < n_bytes && kind == KIND_BYTES; i++)
        g_string_append_printf(self->told, "%02x", bytes[i]);
}

static void
tell_elements(Reading *self, size_t at, size_t end)
{
    while (at < end) {
        const size_t place = at - self->segment_at;
        const uint64_t id = read_vint(self, &at, true);
        const uint64_t said = read_vint(self, &at, false);
        const uint64_t n_bytes = said == LENGTH_UNKNOWN ? end - at : said;
        size_t i = 0;

        while (i < G_N_ELEMENTS(elements) && elements[i].id != id)
            i++;
        g_assert_cmpuint(i, <, G_N_ELEMENTS(elements));
        g_assert_cmpuint(n_bytes, <=, end - at);
        g_string_append(self->told, elements[i].name);
        if (id == MATROSKA_SEGMENT)
            self->segment_at = at;
        if (id == MATROSKA_INFO || id == MATROSKA_TRACKS || id == MATROSKA_CLUSTER ||
            id == MATROSKA_CUES)
            g_string_append_printf(self->told, "@%zu", place);
        g_string_append(self->told, elements[i].kind == KIND_MASTER ? "{" : "=");
        if (elements[i].kind == KIND_MASTER)
            tell_elements(self, at, at + n_bytes);
        else
            tell_value(self, elements[i].kind, self->bytes + at, n_bytes);
        g_string_append(self->told, elements[i].kind == KIND_MASTER ? "}" : ";");
        at += n_bytes;
    }
    g_assert_cmpuint(at, ==, end);
}

static void
assert_says(const uint8_t *bytes, size_t n_bytes, const char *expected)
{
    Reading reading = {.bytes = bytes, .told = g_string_new(NULL)};

    tell_elements(&reading, 0, n_bytes);
    g_assert_cmpstr(reading.told->str, ==, expected);
    g_string_free(reading.told, TRUE);
}

static void
push(MatroskaWriter *writer, unsigned track, int64_t time_us, bool is_keyframe)
{
    static const uint8_t frame[] = {0xf0, 0x0d};
    g_autoptr(GError) error = NULL;
    const MatroskaBlock block = {
        track, {frame, sizeof(frame), time_us, is_keyframe},
         20000
    };

    g_assert_true(matroska_writer_push(writer, &block, &error));
    g_assert_no_error(error);
}

/* A picture and a sound; the sound's end is the file's. */
static void
write_visit(MatroskaWriter *writer)
{
    static const uint8_t secret[] = {0x0b, 0xad};
    g_autoptr(GBytes) codec_private = g_bytes_new_static(secret, sizeof(secret));
    const MatroskaTrack picture = {.codec_id = "V_VP8", .width = 640, .height = 480};
    const MatroskaTrack sound = {
        .codec_id = "A_OPUS", .channels = 2, .rate = 48000, .codec_private = codec_private};
    g_autoptr(GError) error = NULL;

    (void) matroska_writer_add_track(writer, "p1 picture", &picture);
    (void) matroska_writer_add_track(writer, "p1 sound", &sound);
    push(writer, 0, 1000000, true);
    push(writer, 1, 1600400, true);
    push(writer, 0, 1033000, false);
    push(writer, 0, 1100000, true);
    g_assert_true(matroska_writer_finish(writer, &error));
    g_assert_no_error(error);
}

#define EBML(type)                                                                                 \
    "EBML{EBMLVersion=1;EBMLReadVersion=1;EBMLMaxIDLength=4;EBMLMaxSizeLength=8;DocType=" type     \
    ";DocTypeVersion=4;DocTypeReadVersion=2;}"
#define TRACKS                                                                                     \
    "{TrackEntry{TrackNumber=1;TrackUID=1;TrackType=1;FlagLacing=0;Name=p1 picture;Language=und;"  \
    "CodecID=V_VP8;Video{FlagInterlaced=2;PixelWidth=640;PixelHeight=480;}}"                       \
    "TrackEntry{TrackNumber=2;TrackUID=2;TrackType=2;FlagLacing=0;Name=p1 sound;Language=und;"     \
    "CodecID=A_OPUS;CodecPrivate=0bad;SeekPreRoll=80000000;"                                       \
    "Audio{SamplingFrequency=48000;Channels=2;}}}"
#define BLOCKS                                                                                     \
    "{Timestamp=1000;SimpleBlock=81000080f00d;SimpleBlock=82025880f00d;SimpleBlock=81002100f00d;}"
#define LAST_BLOCK "{Timestamp=1100;SimpleBlock=81000080f00d;}"

/* Something stands in the file before it already, which stays. */
static void
test_a_file_describes_itself(void)
{
    const int fd = memfd_create("matroska", MFD_CLOEXEC);
    g_autoptr(MatroskaWriter) writer = NULL;
    uint8_t bytes[2000];

    g_assert_cmpint(write(fd, "before", 6), ==, 6);
    writer = matroska_writer_new(
        &(ExporterOptions){.container = EXPORTER_WEBM, .fd = fd, .notice = "not to be passed on"});
    write_visit(writer);
    const ssize_t n_bytes = pread(fd, bytes, sizeof(bytes), 0);

    g_assert_cmpmem(bytes, 6, "before", 6);
    assert_says(bytes + 6, (size_t) n_bytes - 6,
                EBML("webm") "Segment{"
                             "SeekHead{Seek{SeekID=1549a966;SeekPosition=68;}"
                             "Seek{SeekID=1654ae6b;SeekPosition=113;}"
                             "Seek{SeekID=1c53bb6b;SeekPosition=391;}}"
                             "Info@68{TimestampScale=1000000;Duration=1620.4;MuxingApp=Sealtape;"
                             "WritingApp=Sealtape;}Tracks@113" TRACKS
                             "Tags{Tag{Targets{}SimpleTag{TagName=COMMENT;"
                             "TagString=not to be passed on;}}}"
                             "Cluster@287" BLOCKS "Cluster@354" LAST_BLOCK
                             "Cues@391{CuePoint{CueTime=1000;CueTrackPositions{CueTrack=1;"
                             "CueClusterPosition=287;}}CuePoint{CueTime=1100;CueTrackPositions{"
                             "CueTrack=1;CueClusterPosition=354;}}}}");
    close(fd);
}

static bool
gather(void *user_data, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    g_byte_array_append(user_data, bytes, (guint) n_bytes);
    return true;
}

/* What is sent on as it is made can say neither how long it is nor where things stand. */
static void
test_a_stream_describes_itself(void)
{
    g_autoptr(GByteArray) sent = g_byte_array_new();
    g_autoptr(MatroskaWriter) writer =
        matroska_writer_new(&(ExporterOptions){.fd = -1, .write = gather, .user_data = sent});

    write_visit(writer);

    assert_says(sent->data, sent->len,
                EBML("matroska") "Segment{Info@0{TimestampScale=1000000;MuxingApp=Sealtape;"
                                 "WritingApp=Sealtape;}Tracks@34" TRACKS "Cluster@162" BLOCKS
                                 "Cluster@229" LAST_BLOCK "}");
}

static void
test_nothing_has_no_index(void)
{
    const int fd = memfd_create("matroska", MFD_CLOEXEC);
    g_autoptr(MatroskaWriter) writer = matroska_writer_new(&(ExporterOptions){.fd = fd});
    g_autoptr(GError) error = NULL;
    uint8_t bytes[2000];

    g_assert_true(matroska_writer_finish(writer, &error));
    const ssize_t n_bytes = pread(fd, bytes, sizeof(bytes), 0);

    assert_says(bytes, (size_t) n_bytes,
                EBML("matroska") "Segment{"
                                 "SeekHead{Seek{SeekID=1549a966;SeekPosition=68;}"
                                 "Seek{SeekID=1654ae6b;SeekPosition=113;}"
                                 "Void=00000000000000000000000000000000000000;}"
                                 "Info@68{TimestampScale=1000000;Duration=0;MuxingApp=Sealtape;"
                                 "WritingApp=Sealtape;}Tracks@113{}}");
    close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/matroska-head/a-file-describes-itself", test_a_file_describes_itself);
    g_test_add_func("/matroska-head/a-stream-describes-itself", test_a_stream_describes_itself);
    g_test_add_func("/matroska-head/nothing-has-no-index", test_nothing_has_no_index);
    return g_test_run();
}
