/* Makes a long recording in a short time: encodes ten seconds once, and sends them again and again,
 * in virtual time, through media tracks, sealing, spool and uploader into the folder of an
 * installation. For measuring what opens it. long_visit CONFIG ORGANISATION SESSION PEOPLE SECONDS
 * VIDEO_KBIT */
#include "config/key_file.h"
#include "config/settings.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "crypto/envelope.h"
#include "crypto/signed_note.h"
#include "storage/dir_store.h"
#include "storage/spool.h"
#include "storage/uploader.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/rtp_source.h"
#include "tests/fakes/track_outcome.h"

#include <stdlib.h>
#include <string.h>

#define LOOP_S     10
#define CREATED_US INT64_C(1795000000000000)
/* Of one object, as the recorder has it. */
#define OBJECT_BYTES (8u << 20)
#define DRAIN_MS     600000

typedef struct {
    const char *org, *session;
    Settings *settings;
    ObjectStore *store;
    Spool *spool;
    Uploader *uploader;
} Visit;

typedef struct {
    Visit *visit;
    char *id;
    char *participant;
    char *recipient;
    bool is_video;
    const RtpSource *source;
    TrackOutcome *outcome;
    MediaTrack *media;
    uint16_t sequence;
    uint32_t object_first;
    uint64_t object_bytes;
    int64_t end_us;
} Track;

static const MediaFormat formats[2] = {SAMPLE_OPUS_FORMAT, SAMPLE_VP8_FORMAT};

static void
open_visit(Visit *self, const char *config)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) text = NULL;

    self->settings = settings_load(config, &error);
    g_assert_no_error(error);
    self->store = dir_store_open(self->settings->store.path, &error);
    g_assert_no_error(error);
    self->spool = spool_open(self->settings->spool_path, NULL, &error);
    g_assert_no_error(error);
    text = key_file_read(self->settings->signing_key_path, &error);
    g_assert_no_error(error);
    self->uploader = uploader_new(&(UploaderOptions){.spool = self->spool,
                                                     .store = self->store,
                                                     .signer = note_signer_parse(text, &error),
                                                     .interval_ms = 10});
    g_assert_no_error(error);
}

static void
make_keys(const Visit *self, Track *tracks, unsigned n_tracks)
{
    const OrgSettings *org = settings_org(self->settings, self->org);
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(EnvelopeBuilder) builder = envelope_builder_new(self->org, self->session, 1);
    g_autofree char *key = g_strdup_printf("%s/%s/env/1.age", self->org, self->session);
    g_autoptr(GBytes) sealed = NULL;
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < n_tracks; i++)
        tracks[i].recipient = envelope_builder_add_track(builder, tracks[i].id, &error);
    for (guint i = 0; i < org->recipients->len; i++)
        g_ptr_array_add(recipients, age_recipient_parse(org->recipients->pdata[i], &error));
    sealed = envelope_builder_seal(builder, recipients, &error);
    g_assert_no_error(error);
    g_assert_true(object_store_put(self->store, key, sealed, &error));
}

static void
begin(const Visit *self, const Track *tracks, unsigned n_tracks)
{
    g_autofree char *digest = g_strnfill(64, 'a');
    g_autofree char *policy = g_strdup_printf("policy %s permit ok\n", digest);
    const LedgerSession begun = {self->org, self->session, CREATED_US, policy};
    g_autoptr(GError) error = NULL;

    g_assert_true(spool_add_session(self->spool, &begun, &error));
    for (unsigned i = 0; i < n_tracks; i++) {
        const Track *one = &tracks[i];
        const LedgerTrack track = {one->id,
                                   one->is_video ? "video" : "audio",
                                   one->is_video ? "vp8" : "opus",
                                   one->participant,
                                   one->recipient,
                                   0};
        const LedgerClock clock = {one->id, 0, 0, 1234};

        g_assert_true(spool_add_track(self->spool, self->session, &track, &error));
        g_assert_true(spool_add_clock(self->spool, self->session, &clock, &error));
    }
}

static void
add_segment(Track *track, const Segment *segment)
{
    const Visit *visit = track->visit;
    g_autoptr(AgeContext) context = age_context_new_segment(visit->org, visit->session, track->id,
                                                            segment->part, segment->index);
    g_autoptr(SealedSegment) sealed = g_new0(SealedSegment, 1);
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(recipients, age_recipient_parse(track->recipient, &error));
    sealed->session = g_strdup(visit->session);
    sealed->track = g_strdup(track->id);
    sealed->part = segment->part;
    sealed->index = segment->index;
    if (segment->index == 0 || track->object_bytes + segment->n_bytes > OBJECT_BYTES) {
        track->object_first = segment->index;
        track->object_bytes = 0;
    }
    track->object_bytes += segment->n_bytes;
    sealed->object_first = track->object_first;
    sealed->start_us = segment->start_us;
    sealed->duration_us = segment->duration_us;
    sealed->flags =
        (segment->has_header ? SEGMENT_FLAG_HEADER : 0) |
        (segment->starts_at_keyframe ? SEGMENT_FLAG_KEYFRAME : SEGMENT_FLAG_NO_KEYFRAME) |
        (segment->is_last_of_part ? SEGMENT_FLAG_LAST : 0);
    sealed->sealed = age_file_seal(recipients, context, segment->pieces, segment->n_pieces, &error);
    g_assert_no_error(error);
    sealed->digest = digest_of_bytes(sealed->sealed);
    g_assert_true(spool_add_segment(visit->spool, sealed, &error));
    track->end_us = segment->start_us + segment->duration_us;
}

static void
take_segments(Track *track)
{
    GPtrArray *segments = track->outcome->segments;

    for (guint i = 0; i < segments->len; i++)
        add_segment(track, segments->pdata[i]);
    g_ptr_array_set_size(segments, 0);
}

/* As one sender goes on: sequence and time never jump. */
static void
send_loop(Track *track, unsigned n)
{
    const int64_t offset_us = (int64_t) n * LOOP_S * G_USEC_PER_SEC;
    const uint32_t rate = (uint32_t) formats[track->is_video].clock_rate;

    for (unsigned i = 0; i < track->source->packets->len; i++) {
        MediaPacket packet = track_outcome_packet(track->source, i, offset_us);
        g_autofree uint8_t *bytes = g_memdup2(packet.bytes, packet.n_bytes);
        const uint16_t sequence = GUINT16_TO_BE(track->sequence);
        const uint32_t timestamp =
            GUINT32_TO_BE((uint32_t) (packet.time_us * rate / G_USEC_PER_SEC));

        track->sequence++;
        memcpy(bytes + 2, &sequence, sizeof(sequence));
        memcpy(bytes + 4, &timestamp, sizeof(timestamp));
        packet.bytes = bytes;
        media_track_push(track->media, &packet, 1);
    }
    take_segments(track);
}

static void
finish(const Visit *self, Track *tracks, unsigned n_tracks, int64_t until_us)
{
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(LedgerTrackEnd));
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < n_tracks; i++) {
        const LedgerTrackEnd end = {
            tracks[i].id, until_us, {N_TRACK_COUNTS, {0}}
        };

        media_track_finish(tracks[i].media);
        take_segments(&tracks[i]);
        media_track_free(tracks[i].media);
        g_array_append_val(ends, end);
    }
    g_assert_true(spool_close_session(self->spool, self->session, ends, &error));
    g_assert_true(spool_commit(self->spool, &error));
    uploader_wake(self->uploader);
    g_assert_true(uploader_drain(self->uploader, DRAIN_MS));
    uploader_free(self->uploader);
    spool_free(self->spool);
}

static void
start_track(Track *track, Visit *visit, unsigned n, RtpSource *const *sources)
{
    track->visit = visit;
    track->is_video = n % 2 == 1;
    track->participant = g_strdup_printf("p%u", n / 2 + 1);
    track->id = g_strconcat(track->participant, track->is_video ? "-video" : "-audio", NULL);
    track->source = sources[track->is_video];
    track->outcome = track_outcome_new();
    track->media = track_outcome_start_track(track->outcome, &formats[track->is_video]);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *picture = NULL;
    RtpSource *sources[2] = {NULL, NULL};
    Visit visit = {0};

    g_assert_cmpint(argc, ==, 7);
    const unsigned n_tracks = 2 * (unsigned) atoi(argv[4]);
    const unsigned n_loops = (unsigned) atoi(argv[5]) / LOOP_S;
    g_autofree Track *tracks = g_new0(Track, n_tracks);
    g_assert_true(crypto_start(&error));
    rtp_source_start();
    if (!media_start(&error))
        g_error("%s", error->message);
    picture =
        g_strdup_printf("videotestsrc pattern=snow num-buffers=300 ! " SAMPLE_SIZE(
                            640, 480) "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=30 "
                                      "target-bitrate=%d ! rtpvp8pay mtu=1200 picture-id-mode=2",
                        atoi(argv[6]) * 1000);
    sources[0] = rtp_source_new("audiotestsrc num-buffers=500 samplesperbuffer=960 ! " SAMPLE_OPUS);
    sources[1] = rtp_source_new(picture);
    visit.org = argv[2];
    visit.session = argv[3];
    open_visit(&visit, argv[1]);
    for (unsigned i = 0; i < n_tracks; i++)
        start_track(&tracks[i], &visit, i, sources);
    make_keys(&visit, tracks, n_tracks);
    begin(&visit, tracks, n_tracks);
    for (unsigned loop = 0; loop < n_loops; loop++) {
        for (unsigned i = 0; i < n_tracks; i++)
            send_loop(&tracks[i], loop);
        g_assert_true(spool_commit(visit.spool, &error));
        uploader_wake(visit.uploader);
    }
    finish(&visit, tracks, n_tracks, (int64_t) n_loops * LOOP_S * G_USEC_PER_SEC);
    return 0;
}
