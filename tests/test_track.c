#include "agent/recorder/track.h"
#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/track_desk.h"

#include <gio/gio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

typedef struct {
    TrackDesk *desk;
    SealerSession *session;
    SenderClocks *sender_clocks;
    RateLimit *session_rate;
    char *recipient;
    TrackOptions options; /* of an audio track from second 2 on, in segments of 4 s */
    Track *track;         /* once it was made */
} Fixture;

static void
set_up(Fixture *self, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeIdentity) identity = age_identity_generate(&error);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identity);

    self->desk = track_desk_start();
    self->session = sealer_session_new("clinic-a", "visit");
    self->sender_clocks = sender_clocks_new();
    self->session_rate = rate_limit_new(1000);
    self->recipient = g_strdup(age_recipient_text(recipient));
    self->options = (TrackOptions){
        .id = "p1-audio",
        .recipient = self->recipient,
        .format = {MEDIA_CODEC_PCMU, 0, 8000, 1},
        .feedback = RTCP_FEEDBACK_PLI,
        .sender_clocks = self->sender_clocks,
        .zero_monotonic_us = 77,
        .from_us = 2 * SECOND_US,
        .segment_ms = 4000,
        .object_ms = 8000,
        .reorder_ms = 60,
        .max_kbps = 1000,
        .session_rate = self->session_rate,
    };
}

static void
tear_down(Fixture *self, const void *data)
{
    track_free(self->track);
    sealer_session_free(self->session);
    sender_clocks_unref(self->sender_clocks);
    rate_limit_unref(self->session_rate);
    g_free(self->recipient);
    track_desk_stop();
}

static void
open_track(Fixture *self)
{
    g_autoptr(GError) error = NULL;

    self->track = track_new(&self->options, NULL, NULL, self->session, &error);
    g_assert_no_error(error);
}

static void
open_video(Fixture *self)
{
    self->options.format = (MediaFormat) SAMPLE_VP8_FORMAT;
    self->options.from_us = 0;
    open_track(self);
}

static void
assert_told(const char *expected)
{
    g_autofree char *told = track_desk_take();

    g_assert_cmpstr(told, ==, expected);
}

static void
end_as_the_ingress(const Fixture *self)
{
    self->desk->options.on_finished(self->desk->options.user_data);
}

static void
test_tells_the_ingress_what_it_is(Fixture *self, const void *data)
{
    const IngressTrackOptions *told = &self->desk->options;

    self->options.srtp = (const SrtpKey *) self; /* not looked into here */
    self->options.format.payload_type = 8;
    self->options.roles.of[13] = RTP_ROLE_BESIDE;
    open_track(self);

    g_assert_cmpuint(told->receiver.payload_type, ==, 8);
    g_assert_cmpuint(told->receiver.roles.of[13], ==, RTP_ROLE_BESIDE);
    g_assert_cmpuint(told->receiver.clock_rate, ==, 8000);
    g_assert_cmpuint(told->receiver.reorder_ms, ==, 60);
    g_assert_cmpuint(told->receiver.gap_ms, ==, 200);
    g_assert_cmpint(told->receiver.from_us, ==, 2 * SECOND_US);
    g_assert_true(told->receiver.sender_clocks == self->sender_clocks);
    g_assert_true(told->receiver.session_rate == self->session_rate);
    g_assert_cmpint(told->zero_monotonic_us, ==, 77);
    g_assert_true(told->srtp == (const SrtpKey *) self);
    g_assert_cmpstr(told->name, ==, "p1-audio");
    g_assert_cmpuint(told->feedback, ==, 0); /* a keyframe of sound is never asked for */
    g_assert_cmpuint(track_port(self->track), ==, 40000);
    g_assert_cmpint(track_from_us(self->track), ==, 2 * SECOND_US);
}

/* 250 kB are what two seconds of 1000 kbit/s bring; the track's limit is its own. */
static void
test_has_a_limit_of_its_own(Fixture *self, const void *data)
{
    open_track(self);
    RateLimit *rate = self->desk->options.receiver.track_rate;

    g_assert_true(rate_limit_allow(rate, 249000, 0));
    g_assert_false(rate_limit_allow(rate, 2000, 0));
    g_assert_true(rate_limit_allow(self->session_rate, 249000, 0));
}

static void
test_tiles_its_stretch_with_segments_and_gaps(Fixture *self, const void *data)
{
    g_autoptr(RtpSource) sound = rtp_source_new_sound(500, 160); /* ten seconds */
    const IngressTrackOptions *told = &self->desk->options;

    open_track(self);
    told->receiver.on_gap(2 * SECOND_US, SECOND_US, "no-media", told->receiver.user_data);
    track_desk_push(sound, 0, 100, 3 * SECOND_US, -1);
    told->receiver.on_gap(5 * SECOND_US, SECOND_US, "silence", told->receiver.user_data);
    track_desk_push(sound, 100, 500, 4 * SECOND_US, -1);
    track_finish(self->track, 15 * SECOND_US);
    told->receiver.on_gap(14 * SECOND_US, SECOND_US, "no-media", told->receiver.user_data);
    end_as_the_ingress(self);

    assert_told("clock p1-audio 0@3000000=0;"
                "gap p1-audio 2000000+1000000 no-media;"
                "gap p1-audio 5000000+1000000 silence;"
                "segment 0/0 3000000+4000000;"
                "segment 0/1 7000000+4000000;"
                "finish 15000000;"
                "segment 0/2 11000000+3000000;"
                "gap p1-audio 14000000+1000000 no-media;"
                "end p1-audio 15000000;");
}

/* The source began anew: what follows is another part, with a clock of its own. */
static void
test_another_source_is_another_part(Fixture *self, const void *data)
{
    g_autoptr(RtpSource) sound = rtp_source_new_sound(100, 160);
    const RtpReceiverOptions *told = &self->desk->options.receiver;

    open_track(self);
    track_desk_push(sound, 0, 100, 2 * SECOND_US, -1);
    told->on_restart(told->user_data);
    track_desk_push(sound, 50, 100, 3 * SECOND_US, -1);
    track_finish(self->track, 5 * SECOND_US);
    end_as_the_ingress(self);

    assert_told("clock p1-audio 0@2000000=0;"
                "segment 0/0 2000000+2000000;"
                "clock p1-audio 1@4000000=8000;"
                "finish 5000000;"
                "segment 1/0 4000000+1000000;"
                "end p1-audio 5000000;");
}

/* The sealer lost a segment: the part that it was of can not go on. */
static void
test_a_lost_segment_ends_its_part(Fixture *self, const void *data)
{
    g_autoptr(RtpSource) sound = rtp_source_new_sound(450, 160);

    open_track(self);
    track_desk_push(sound, 0, 250, 2 * SECOND_US, -1);
    assert_told("clock p1-audio 0@2000000=0;segment 0/0 2000000+4000000;");
    sealer_track_lose(self->desk->sealer_track, 0);
    track_desk_push(sound, 250, 300, 2 * SECOND_US, -1);
    assert_told("segment 0/1 6000000+2000000;");
    track_desk_push(sound, 300, 450, 2 * SECOND_US, -1);
    assert_told("clock p1-audio 1@8000000=48000;");
}

/* What the media of a part changes to (here: the size of the picture) begins another one. */
static void
test_another_picture_is_another_part(Fixture *self, const void *data)
{
    g_autoptr(RtpSource) small = rtp_source_new("videotestsrc num-buffers=60 ! " SAMPLE_VP8);
    g_autoptr(RtpSource) large =
        rtp_source_new("videotestsrc num-buffers=60 ! " SAMPLE_VP8_SIZED(640, 480));
    g_autofree char *told = NULL;

    open_video(self);
    track_desk_push(small, 0, small->packets->len, 0, -1);
    track_desk_push(large, 0, large->packets->len, 2 * SECOND_US, -1);
    track_finish(self->track, 4 * SECOND_US);
    end_as_the_ingress(self);

    told = track_desk_take();
    g_assert_nonnull(strstr(told, "segment 0/0 0+2000000;clock p1-audio 1@2000000="));
    g_assert_nonnull(strstr(told, "finish 4000000;segment 1/0 2000000+"));
}

static void
test_asks_for_keyframes(Fixture *self, const void *data)
{
    g_autoptr(RtpSource) picture = rtp_source_new("videotestsrc num-buffers=40 ! " SAMPLE_VP8);
    const unsigned half = picture->packets->len / 2;
    g_autofree char *begun = NULL;

    self->desk->sends_early = true; /* before there is whom to ask */
    open_video(self);
    g_assert_cmpuint(self->desk->options.feedback, ==, RTCP_FEEDBACK_PLI);
    assert_told("");
    track_desk_push(picture, 0, half, SECOND_US, -1);
    begun = track_desk_take();
    g_assert_true(g_str_has_prefix(begun, "clock p1-audio 0@1000000="));
    g_assert_null(strstr(begun, "keyframe;"));
    track_desk_push(picture, half, half + 2, SECOND_US, (int) half + 1);
    assert_told("keyframe;");
}

/* In one go come more packets than the track hands on at once; none is left out. */
static void
test_counts_what_can_not_be_read(Fixture *self, const void *data)
{
    g_autoptr(RtpSource) bad = rtp_source_new_empty();
    const int64_t time_us = SECOND_US;
    static const uint8_t packet[13] = {0x80, 96, [12] = 0x80}; /* a descriptor that is cut off */

    for (int i = 0; i < 130; i++) {
        g_ptr_array_add(bad->packets, g_bytes_new_static(packet, sizeof(packet)));
        g_array_append_val(bad->times_us, time_us);
    }
    open_video(self);
    track_desk_push(bad, 0, 130, 0, -1);
    track_finish(self->track, 3 * SECOND_US);
    end_as_the_ingress(self);

    g_assert_cmpuint(self->desk->end.counts.of[TRACK_COUNT_UNREADABLE], ==, 130);
}

/* A cut that was due at second four gets its keyframe at second six. */
static void
test_counts_cuts_that_came_late(Fixture *self, const void *data)
{
    g_autoptr(RtpSource) picture = rtp_source_new("videotestsrc num-buffers=240 ! " SAMPLE_SIZE(
        320,
        240) "vp8enc deadline=1 cpu-used=8 "
             "keyframe-max-dist=180 target-bitrate=300000 ! rtpvp8pay mtu=600 picture-id-mode=2");

    open_video(self);
    track_desk_push(picture, 0, picture->packets->len, 0, -1);
    track_finish(self->track, 8 * SECOND_US);
    end_as_the_ingress(self);

    g_assert_cmpuint(self->desk->end.counts.of[TRACK_COUNT_LATE_KEYFRAMES], ==, 1);
}

/* Powers of ten, so that each is seen in its sum; in the order of the manifest. */
static void
test_its_end_tells_what_became_of_all_packets(Fixture *self, const void *data)
{
    static const uint64_t expected[N_TRACK_COUNTS] = {1, 2, 3, 110, 4, 5, 111000, 6, 7, 8, 9};
    const uint64_t *of = self->desk->end.counts.of;

    self->desk->status = (RtpReceiverStatus){
        .n_packets = 1,
        .n_lost = 2,
        .n_reordered = 3,
        .n_duplicate = 10,
        .n_replayed = 100,
        .n_late = 4,
        .n_paused = 5,
        .n_foreign = 1000,
        .n_foreign_ssrc = 10000,
        .n_unauthentic = 100000,
        .n_kernel_dropped = 6,
        .n_recovered = 7,
        .n_limited = 8,
        .n_beside = 9,
    };
    open_track(self);
    track_finish(self->track, 4 * SECOND_US);
    end_as_the_ingress(self);

    assert_told("finish 4000000;gap p1-audio 2000000+2000000 no-media;end p1-audio 4000000;");
    g_assert_cmpuint(self->desk->end.counts.n_known, ==, N_TRACK_COUNTS);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpuint(of[i], ==, expected[i]);
}

static void
test_pauses_and_resumes_until_it_ends(Fixture *self, const void *data)
{
    open_track(self);
    track_pause(self->track, "consent");
    track_pause(self->track, NULL);
    assert_told("pause paused-consent;resume;");
    track_finish(self->track, 4 * SECOND_US);
    track_finish(self->track, 9 * SECOND_US);
    track_pause(self->track, "consent");
    assert_told("finish 4000000;"); /* the ingress must not be asked of it again */
    end_as_the_ingress(self);
    assert_told("gap p1-audio 2000000+2000000 no-media;end p1-audio 4000000;");
}

/* Once the ingress has let go of it, it is not asked any more. */
static void
test_its_status_outlives_the_ingress(Fixture *self, const void *data)
{
    TrackStatus status = {0};

    open_track(self);
    self->desk->status.n_packets = 5;
    track_status(self->track, &status);
    g_assert_cmpuint(status.receiver.n_packets, ==, 5);
    self->desk->status.n_packets = 6;
    track_finish(self->track, 4 * SECOND_US);
    end_as_the_ingress(self);
    self->desk->status.n_packets = 7;
    sealer_track_acknowledge(self->desk->sealer_track, 3 * SECOND_US);
    track_status(self->track, &status);
    g_assert_cmpuint(status.receiver.n_packets, ==, 6);
    g_assert_cmpint(status.sealer.acknowledged_us, ==, 3 * SECOND_US);
    g_assert_cmpuint(status.sealer.n_segments, ==, 1);
}

/* Of a session that never began nothing is sealed, and its track is freed by itself. */
static void
test_a_discarded_track_hands_nothing_over(Fixture *self, const void *data)
{
    g_autoptr(RtpSource) sound = rtp_source_new_sound(500, 160);
    const IngressTrackOptions *told = &self->desk->options;

    open_track(self);
    track_desk_push(sound, 0, 250, 3 * SECOND_US, -1);
    told->receiver.on_gap(4 * SECOND_US, SECOND_US, "silence", told->receiver.user_data);
    track_discard(g_steal_pointer(&self->track));
    assert_told("clock p1-audio 0@3000000=0;"
                "gap p1-audio 2000000+1000000 no-media;segment 0/0 3000000+4000000;finish 0;");
    track_desk_push(sound, 250, 400, 3 * SECOND_US, -1);
    told->receiver.on_restart(told->receiver.user_data);
    track_desk_push(sound, 400, 500, 3 * SECOND_US, -1);
    end_as_the_ingress(self);
    assert_told("");
}

static void
test_says_why_there_is_none(Fixture *self, const void *data)
{
    g_autoptr(GError) error = NULL;

    self->desk->is_full = true;
    g_assert_null(track_new(&self->options, NULL, NULL, self->session, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    g_clear_error(&error);
    self->desk->is_full = false;
    self->options.recipient = "age1nobody";
    g_assert_null(track_new(&self->options, NULL, NULL, self->session, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

#define ADD(name, function) g_test_add("/track/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    rtp_source_start();
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    g_assert_true(media_start(&error));
    ADD("tells-the-ingress-what-it-is", test_tells_the_ingress_what_it_is);
    ADD("has-a-limit-of-its-own", test_has_a_limit_of_its_own);
    ADD("tiles-its-stretch-with-segments-and-gaps", test_tiles_its_stretch_with_segments_and_gaps);
    ADD("another-source-is-another-part", test_another_source_is_another_part);
    ADD("a-lost-segment-ends-its-part", test_a_lost_segment_ends_its_part);
    ADD("another-picture-is-another-part", test_another_picture_is_another_part);
    ADD("asks-for-keyframes", test_asks_for_keyframes);
    ADD("counts-what-can-not-be-read", test_counts_what_can_not_be_read);
    ADD("counts-cuts-that-came-late", test_counts_cuts_that_came_late);
    ADD("its-end-tells-what-became-of-all-packets", test_its_end_tells_what_became_of_all_packets);
    ADD("pauses-and-resumes-until-it-ends", test_pauses_and_resumes_until_it_ends);
    ADD("its-status-outlives-the-ingress", test_its_status_outlives_the_ingress);
    ADD("a-discarded-track-hands-nothing-over", test_a_discarded_track_hands_nothing_over);
    ADD("says-why-there-is-none", test_says_why_there_is_none);
    return g_test_run();
}
