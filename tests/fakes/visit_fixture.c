#include "tests/fakes/visit_fixture.h"

#include "agent/admin/init_files.h"
#include "config/key_file.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/age_key.h"
#include "crypto/envelope.h"
#include "crypto/signed_note.h"
#include "storage/dir_store.h"
#include "storage/spool.h"
#include "storage/uploader.h"
#include "tests/fakes/media_samples.h"
#include "tests/fakes/scratch.h"
#include "tests/fakes/track_outcome.h"

#include <glib/gstdio.h>
#include <string.h>

#define CREATED_US INT64_C(1795000000000000)
#define UNTIL_US   INT64_C(11000000)

typedef struct {
    const char *id, *kind, *codec;
    MediaFormat format;
    const char *pipeline;
} Sample;

static const Sample samples[] = {
    {"p1-audio", "audio", "opus", SAMPLE_OPUS_FORMAT,
     "audiotestsrc num-buffers=450 samplesperbuffer=960 ! " SAMPLE_OPUS                           },
    {"p1-video", "video", "vp8",  SAMPLE_VP8_FORMAT,  "videotestsrc num-buffers=270 ! " SAMPLE_VP8},
};

VisitFixture *
visit_fixture_new(void)
{
    VisitFixture *self = g_new0(VisitFixture, 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(InitFiles) files = NULL;

    self->folder = scratch_new("visit");
    files = init_files_make(self->folder, VISIT_ORG, &error);
    g_assert_no_error(error);
    self->config_path = g_strdup(files->config_path);
    self->org_key = g_strdup(files->org_identity_path);
    self->break_glass_key = g_strdup(files->break_glass_path);
    self->settings = settings_load(self->config_path, &error);
    g_assert_no_error(error);
    self->store = dir_store_open(self->settings->store.path, &error);
    g_assert_no_error(error);
    return self;
}

/* Puts the envelope of the session's tracks. Returns: their recipients, in order of `samples`. */
static GPtrArray *
make_keys(const VisitFixture *self, const char *session)
{
    const OrgSettings *org = settings_org(self->settings, VISIT_ORG);
    g_autoptr(GPtrArray) recipients =
        g_ptr_array_new_with_free_func((GDestroyNotify) age_recipient_free);
    g_autoptr(EnvelopeBuilder) builder = envelope_builder_new(VISIT_ORG, session, 1);
    g_autofree char *key = g_strdup_printf("%s/%s/env/1.age", VISIT_ORG, session);
    GPtrArray *tracks = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GBytes) sealed = NULL;
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(samples); i++)
        g_ptr_array_add(tracks, envelope_builder_add_track(builder, samples[i].id, &error));
    for (guint i = 0; i < org->recipients->len; i++)
        g_ptr_array_add(recipients, age_recipient_parse(org->recipients->pdata[i], &error));
    sealed = envelope_builder_seal(builder, recipients, &error);
    g_assert_no_error(error);
    g_assert_true(object_store_put(self->store, key, sealed, &error));
    return tracks;
}

static void
begin(Spool *spool, const char *session, const GPtrArray *recipients)
{
    g_autofree char *digest = g_strnfill(64, 'a');
    g_autofree char *policy = g_strdup_printf("policy %s permit ok\n", digest);
    const LedgerSession begun = {VISIT_ORG, session, CREATED_US, policy};
    g_autoptr(GError) error = NULL;

    g_assert_true(spool_add_session(spool, &begun, &error));
    for (gsize i = 0; i < G_N_ELEMENTS(samples); i++) {
        const LedgerTrack track = {samples[i].id, samples[i].kind,      samples[i].codec,
                                   "p1",          recipients->pdata[i], 0};

        g_assert_true(spool_add_track(spool, session, &track, &error));
    }
}

static SegmentFlags
flags_of(const Segment *segment)
{
    return (segment->has_header ? SEGMENT_FLAG_HEADER : 0) |
           (segment->starts_at_keyframe ? SEGMENT_FLAG_KEYFRAME : SEGMENT_FLAG_NO_KEYFRAME) |
           (segment->is_last_of_part ? SEGMENT_FLAG_LAST : 0);
}

static void
add_segment(Spool *spool, const char *session, const char *track, const Segment *segment,
            GPtrArray *recipients)
{
    g_autoptr(AgeContext) context =
        age_context_new_segment(VISIT_ORG, session, track, segment->part, segment->index);
    g_autoptr(SealedSegment) sealed = g_new0(SealedSegment, 1);
    g_autoptr(GError) error = NULL;

    sealed->session = g_strdup(session);
    sealed->track = g_strdup(track);
    sealed->part = segment->part;
    sealed->index = segment->index;
    sealed->object_first = segment->index - segment->index % 2;
    sealed->start_us = segment->start_us;
    sealed->duration_us = segment->duration_us;
    sealed->flags = flags_of(segment);
    sealed->sealed = age_file_seal(recipients, context, segment->pieces, segment->n_pieces, &error);
    g_assert_no_error(error);
    sealed->digest = digest_of_bytes(sealed->sealed);
    g_assert_true(spool_add_segment(spool, sealed, &error));
}

/* Returns: where the track's media ends. */
static int64_t
add_track(Spool *spool, const char *session, const Sample *sample, const char *recipient_text)
{
    g_autoptr(RtpSource) source = rtp_source_new(sample->pipeline);
    g_autoptr(TrackOutcome) outcome = track_outcome_record(&sample->format, source, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeRecipient) recipient = age_recipient_parse(recipient_text, &error);
    g_autoptr(GPtrArray) recipients = g_ptr_array_new();
    const LedgerClock clock = {sample->id, 0, 0, 1234};
    int64_t end_us = 0;

    g_assert_no_error(error);
    g_ptr_array_add(recipients, recipient);
    g_assert_true(spool_add_clock(spool, session, &clock, &error));
    for (guint i = 0; i < outcome->segments->len; i++) {
        const Segment *segment = outcome->segments->pdata[i];

        add_segment(spool, session, sample->id, segment, recipients);
        end_us = segment->start_us + segment->duration_us;
    }
    return end_us;
}

static void
close_session(Spool *spool, const char *session, const int64_t *ends_us)
{
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(LedgerTrackEnd));
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(samples); i++) {
        const LedgerGap gap = {samples[i].id, ends_us[i], UNTIL_US - ends_us[i], "paused"};
        const LedgerTrackEnd end = {
            samples[i].id,
            UNTIL_US,
            {N_TRACK_COUNTS, {776, 24, 16, 8, 3, 2, 1, 4, 9, 6, 50, 5, 7}}
        };

        g_assert_true(spool_add_gap(spool, session, &gap, &error));
        g_array_append_val(ends, end);
    }
    g_assert_true(spool_close_session(spool, session, ends, &error));
}

static void
upload(const VisitFixture *self, Spool *spool)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) text = key_file_read(self->settings->signing_key_path, &error);
    g_autoptr(NoteSigner) signer = note_signer_parse(text, &error);
    const UploaderOptions options = {
        .spool = spool, .store = self->store, .signer = signer, .interval_ms = 10};
    Uploader *uploader = NULL;

    g_assert_no_error(error);
    uploader = uploader_new(&options);
    uploader_wake(uploader);
    g_assert_true(uploader_drain(uploader, 30000));
    uploader_free(uploader);
}

static void
record(VisitFixture *self, const char *session, bool is_closed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Spool) spool = spool_open(self->settings->spool_path, NULL, &error);
    g_autoptr(GPtrArray) recipients = make_keys(self, session);
    int64_t ends_us[G_N_ELEMENTS(samples)];

    g_assert_no_error(error);
    begin(spool, session, recipients);
    for (gsize i = 0; i < G_N_ELEMENTS(samples); i++)
        ends_us[i] = add_track(spool, session, &samples[i], recipients->pdata[i]);
    if (is_closed)
        close_session(spool, session, ends_us);
    g_assert_true(spool_commit(spool, &error));
    upload(self, spool);
}

void
visit_fixture_record(VisitFixture *self, const char *session)
{
    record(self, session, true);
}

void
visit_fixture_record_open(VisitFixture *self, const char *session)
{
    record(self, session, false);
}

char *
visit_fixture_object(const VisitFixture *self, const char *session, const char *relative)
{
    return g_build_filename(self->settings->store.path, VISIT_ORG, session, relative, NULL);
}

void
visit_fixture_damage(const char *path, size_t offset)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *content = NULL;
    gsize n_bytes = 0;

    g_assert_true(g_file_get_contents(path, &content, &n_bytes, &error));
    g_assert_cmpuint(offset, <, n_bytes);
    content[n_bytes - 1 - offset] ^= 1;
    g_assert_true(g_file_set_contents(path, content, (gssize) n_bytes, &error));
}

void
visit_fixture_free(VisitFixture *self)
{
    if (self == NULL)
        return;
    object_store_free(self->store);
    settings_free(self->settings);
    scratch_remove(self->folder);
    g_free(self->config_path);
    g_free(self->org_key);
    g_free(self->break_glass_key);
    g_free(self);
}
