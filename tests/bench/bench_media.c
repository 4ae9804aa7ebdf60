/* What recording costs, up to plaintext segments: one publisher of 1.2 Mbit/s VP8 and Opus.
 *   as fast as it goes   CPU for a second of media, with batches of 1 and of 8 packets
 *   in real time         the same packets paced as a call paces them, beside gst-launch which
 * remuxes what it gets over UDP (udpsrc ! rtpjitterbuffer ! depayloader ! matroskamux ! filesink)
 *   memory               of one publisher among 100
 * Run by hand: bench_media [seconds in real time, 20] */
#include "agent/media/media_track.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/rtp_source.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VIDEO                                                                                      \
    "videotestsrc pattern=smpte num-buffers=300 ! " SAMPLE_SIZE(                                   \
        640, 480) "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=100 end-usage=cbr "              \
                  "target-bitrate=1200000 "                                                        \
                  "max-quantizer=63 ! rtpvp8pay mtu=1200 picture-id-mode=2"
#define SOUND   "audiotestsrc num-buffers=500 samplesperbuffer=960 ! " SAMPLE_OPUS
#define LOOP_US INT64_C(10000000)

typedef struct {
    RtpSource *source;
    MediaFormat format;
    uint16_t port;
    MediaTrack *track;
    guint next; /* packet */
    guint64 n_sent;
} Stream;

static guint64 n_segment_bytes;

static void
on_segment(Segment *segment, void *user_data)
{
    n_segment_bytes += segment->n_bytes;
    segment_free(segment);
}

static void
on_keyframe_wanted(void *user_data)
{
}

static void
on_gap(int64_t start_us, int64_t duration_us, const char *reason, void *user_data)
{
}

static void
on_part(uint32_t part, int64_t start_us, uint32_t rtp_timestamp, void *user_data)
{
}

static MediaTrack *
new_track(const MediaFormat *format)
{
    const MediaTrackOptions options = {4000, on_segment, on_keyframe_wanted, on_gap, on_part, NULL};
    g_autoptr(GError) error = NULL;
    MediaTrack *track = media_track_new(format, &options, &error);

    if (track == NULL)
        g_error("%s", error->message);
    return track;
}

static double
cpu_s(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* The next packet of an endless stream: its number and time go on when the source starts over. */
static MediaPacket
next_packet(Stream *stream)
{
    const RtpSource *source = stream->source;
    const guint round = stream->next / source->packets->len;
    const guint i = stream->next % source->packets->len;
    const uint32_t timestamp =
        (uint32_t) ((round * LOOP_US + g_array_index(source->times_us, int64_t, i)) *
                    stream->format.clock_rate / 1000000);
    MediaPacket packet = {.time_us = round * LOOP_US + g_array_index(source->times_us, int64_t, i)};
    uint8_t *bytes = (uint8_t *) rtp_source_packet(source, i, &packet.n_bytes);

    bytes[2] = (uint8_t) (stream->next >> 8);
    bytes[3] = (uint8_t) stream->next;
    for (int shift = 0; shift < 4; shift++)
        bytes[4 + shift] = (uint8_t) (timestamp >> (24 - 8 * shift));
    packet.bytes = bytes;
    stream->next++;
    return packet;
}

static void
push_until(Stream *stream, int64_t until_us, guint n_batch)
{
    MediaPacket packets[8];
    guint n = 0;

    for (;;) {
        packets[n] = next_packet(stream);
        if (packets[n].time_us >= until_us) {
            stream->next--;
            break;
        }
        if (++n == n_batch) {
            media_track_push(stream->track, packets, n);
            n = 0;
        }
    }
    media_track_push(stream->track, packets, n);
}

static void
bench_fast(Stream *streams, guint n_batch)
{
    const int64_t media_s = 600;
    const double before = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
    const guint64 bytes_before = n_segment_bytes;

    for (int i = 0; i < 2; i++) {
        streams[i].next = 0;
        streams[i].track = new_track(&streams[i].format);
        push_until(&streams[i], media_s * 1000000, n_batch);
        media_track_finish(streams[i].track);
        g_clear_pointer(&streams[i].track, media_track_free);
    }
    printf("as fast as it goes, batches of %u: %.4f %% of a core (%.0f kbit/s)\n", n_batch,
           (cpu_s(CLOCK_PROCESS_CPUTIME_ID) - before) / (double) media_s * 100,
           (double) (n_segment_bytes - bytes_before) * 8 / 1000 / (double) media_s);
}

/* Nanoseconds of CPU of all threads of `pid`. */
static double
cpu_of(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", (int) pid);
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    double sum_s = 0;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_strdup_printf("%s/%s/schedstat", path, name);
        g_autofree char *content = NULL;

        if (g_file_get_contents(file, &content, NULL, NULL))
            sum_s += g_ascii_strtod(content, NULL) / 1e9;
    }
    g_clear_pointer(&dir, g_dir_close);
    return sum_s;
}

static pid_t
start_gst_launch(const Stream *streams)
{
    g_autofree char *line = g_strdup_printf(
        "exec gst-launch-1.0 -q matroskamux name=m streamable=true ! filesink location=/dev/null "
        "udpsrc port=%u caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8,"
        "payload=96 ! rtpjitterbuffer ! rtpvp8depay ! m. "
        "udpsrc port=%u caps=application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,"
        "payload=96 ! rtpjitterbuffer ! rtpopusdepay ! opusparse ! m.",
        streams[0].port, streams[1].port);
    const pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", line, NULL);
        _exit(127);
    }
    return pid;
}

static void
send_packet(int fd, const Stream *stream, const MediaPacket *packet)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(stream->port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};

    (void) sendto(fd, packet->bytes, packet->n_bytes, 0, (struct sockaddr *) &to, sizeof(to));
}

/* One tick of real time: what is due goes to both, and only our own share is counted. */
static double
tick(Stream *streams, int fd, int64_t now_us)
{
    double used_s = 0;

    for (int i = 0; i < 2; i++) {
        for (;;) {
            const MediaPacket packet = next_packet(&streams[i]);

            if (packet.time_us > now_us) {
                streams[i].next--;
                break;
            }
            send_packet(fd, &streams[i], &packet);
            const double before = cpu_s(CLOCK_THREAD_CPUTIME_ID);
            media_track_push(streams[i].track, &packet, 1);
            used_s += cpu_s(CLOCK_THREAD_CPUTIME_ID) - before;
        }
    }
    return used_s;
}

static void
bench_paced(Stream *streams, int seconds)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const pid_t pid = start_gst_launch(streams);
    double ours_s = 0;
    double theirs_s = 0;
    int64_t begin_us = 0;

    sleep(2);
    for (int i = 0; i < 2; i++) {
        streams[i].next = 0;
        streams[i].track = new_track(&streams[i].format);
    }
    theirs_s = cpu_of(pid);
    begin_us = g_get_monotonic_time();
    while (g_get_monotonic_time() - begin_us < (int64_t) seconds * 1000000) {
        ours_s += tick(streams, fd, g_get_monotonic_time() - begin_us);
        g_usleep(5000);
    }
    theirs_s = cpu_of(pid) - theirs_s;
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    close(fd);
    for (int i = 0; i < 2; i++)
        g_clear_pointer(&streams[i].track, media_track_free);
    printf("in real time for %d s: %.4f %% of a core, gst-launch %.4f %% (ratio %.3f)\n", seconds,
           ours_s / seconds * 100, theirs_s / seconds * 100, ours_s / theirs_s);
}

static long
resident_kib(void)
{
    g_autofree char *content = NULL;
    const char *line = NULL;

    g_file_get_contents("/proc/self/status", &content, NULL, NULL);
    line = strstr(content, "VmRSS:");
    return line != NULL ? strtol(line + 6, NULL, 10) : 0;
}

static void
bench_memory(Stream *streams)
{
    enum { N_PUBLISHERS = 100 };
    MediaTrack *tracks[N_PUBLISHERS][2];
    const long before = resident_kib();
    long most = 0;

    for (int k = 0; k < N_PUBLISHERS; k++) {
        for (int i = 0; i < 2; i++)
            tracks[k][i] = new_track(&streams[i].format);
    }
    for (int64_t until_us = 100000; until_us < 9000000; until_us += 100000) {
        for (int k = 0; k < N_PUBLISHERS; k++) {
            for (int i = 0; i < 2; i++) {
                Stream stream = streams[i];

                stream.track = tracks[k][i];
                push_until(&stream, until_us, 8);
                if (k == N_PUBLISHERS - 1)
                    streams[i].next = stream.next;
            }
        }
        most = MAX(most, resident_kib());
    }
    printf("memory of one publisher among %d: %ld KiB at most\n", N_PUBLISHERS,
           (most - before) / N_PUBLISHERS);
    for (int k = 0; k < N_PUBLISHERS; k++) {
        for (int i = 0; i < 2; i++)
            media_track_free(tracks[k][i]);
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    const int seconds = argc > 1 ? (int) strtol(argv[1], NULL, 10) : 20;
    Stream streams[] = {
        {.format = SAMPLE_VP8_FORMAT,  .port = 45710},
        {.format = SAMPLE_OPUS_FORMAT, .port = 45712}
    };

    rtp_source_start();
    if (!media_start(&error))
        g_error("%s", error->message);
    streams[0].source = rtp_source_new(VIDEO);
    streams[1].source = rtp_source_new(SOUND);
    streams[0].next = streams[1].next = 0;
    bench_memory(streams);
    bench_fast(streams, 1);
    bench_fast(streams, 8);
    bench_paced(streams, seconds);
    rtp_source_free(streams[0].source);
    rtp_source_free(streams[1].source);
    return 0;
}
