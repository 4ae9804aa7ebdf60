#include "agent/playback/segment_opening.h"
#include "agent/playback/track_keys.h"
#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/age_past.h"
#include "crypto/envelope.h"
#include "tests/fakes/leaked_visit.h"
#include "tests/fakes/visit_keys.h"

static GPtrArray *
list_of(AgeIdentity *identity)
{
    GPtrArray *list = g_ptr_array_new();

    g_ptr_array_add(list, identity);
    return list;
}

static Recording *
open_recording(LeakedVisit *self)
{
    const RecordingTrust trust = {visit_keys_verifiers(), self->annotators};
    GError *error = NULL;
    Recording *recording = recording_open(self->store, "clinic-a", "visit-1", &trust, &error);

    g_assert_no_error(error);
    return recording;
}

/* Whether the segment opens and is what was recorded. */
static bool
opens_as_recorded(Recording *recording, SegmentOpening *opening, const TrackKeys *keys,
                  const ManifestSegment *segment)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *identities = track_keys_of(keys, segment->track, &error);
    g_autoptr(GBytes) sealed =
        identities != NULL ? recording_read_segment(recording, segment, &error) : NULL;
    GByteArray *plain =
        sealed != NULL ? segment_opening_open(opening, identities, segment, sealed, &error) : NULL;
    g_autoptr(GBytes) wanted = leaked_visit_plain(segment->track, segment->index);

    if (plain == NULL) {
        g_test_message("%s", error->message);
        return false;
    }
    g_assert_cmpmem(plain->data, plain->len, g_bytes_get_data(wanted, NULL),
                    (int) g_bytes_get_size(wanted));
    age_file_wipe(plain);
    return true;
}

int
leaked_visit_opens(LeakedVisit *self, AgeIdentity *identity)
{
    g_autoptr(Recording) recording = open_recording(self);
    const ManifestPart *manifest = recording_manifest(recording);
    g_autoptr(GPtrArray) identities = list_of(identity);
    g_autoptr(TrackKeys) keys = track_keys_open(self->store, manifest, identities, NULL);
    g_autoptr(SegmentOpening) opening = segment_opening_new(recording);
    int n_opened = 0;

    if (track_keys_of(keys, "p1-audio", NULL) == NULL)
        return -1;
    for (guint i = 0; i < manifest->segments->len; i++)
        n_opened += opens_as_recorded(recording, opening, keys, manifest->segments->pdata[i]);
    return n_opened;
}

GPtrArray *
leaked_visit_envelope(LeakedVisit *self, uint32_t generation, AgeIdentity *identity)
{
    g_autofree char *key = g_strdup_printf("clinic-a/visit-1/env/%u.age", generation);
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "visit-1", generation);
    g_autoptr(GPtrArray) identities = list_of(identity);
    GError *error = NULL;
    g_autoptr(GBytes) sealed = object_store_get(self->store, key, &error);
    GPtrArray *keys = NULL;

    g_assert_no_error(error);
    keys = envelope_open(identities, context, sealed, &error);
    g_assert_no_error(error);
    return keys;
}

unsigned
leaked_visit_opened_by(LeakedVisit *self, GPtrArray *keys)
{
    g_autoptr(GPtrArray) names = object_store_list(self->store, "clinic-a/visit-1/", NULL);
    g_autoptr(GPtrArray) identities = g_ptr_array_new();
    unsigned n_opened = 0;

    for (guint i = 0; i < keys->len; i++)
        g_ptr_array_add(identities, ((const EnvelopeKey *) keys->pdata[i])->identity);
    g_ptr_array_add(identities, self->leaked);
    for (guint i = 0; i < names->len; i++) {
        g_autoptr(GBytes) body = object_store_get(self->store, names->pdata[i], NULL);
        /* Several age files lie behind one another in an object: the first header is enough. */
        g_autoptr(AgePast) past =
            age_past_take(identities, age_context_any(), g_bytes_get_data(body, NULL),
                          g_bytes_get_size(body), NULL);

        n_opened += past != NULL;
    }
    return n_opened;
}

char *
leaked_visit_findings(LeakedVisit *self)
{
    g_autoptr(Recording) recording = open_recording(self);
    g_autoptr(GPtrArray) findings = recording_verify(recording, NULL, NULL);
    g_autoptr(GString) codes = g_string_new(NULL);

    for (guint i = 0; i < findings->len; i++) {
        const RecordingFinding *finding = findings->pdata[i];

        g_test_message("%s: %s", finding->code, finding->message);
        g_string_append_printf(codes, "%s ", finding->code);
    }
    return g_strdup(codes->str);
}

void
leaked_visit_assert_findings(LeakedVisit *self, const char *wanted)
{
    g_autofree char *found = leaked_visit_findings(self);

    g_assert_cmpstr(found, ==, wanted);
}

void
leaked_visit_run(const ResealJob *job, ResealResult *result)
{
    GError *error = NULL;
    const bool is_good = reseal_run(job, result, &error);

    g_assert_no_error(error);
    g_assert_true(is_good);
}
