#include "agent/opener/grant.h"

#include "agent/playback/layout_plan.h"

#include <sys/random.h>

#define ID_BYTES 16

static const char *const state_texts[] = {
    [GRANT_ISSUED] = "issued",
    [GRANT_USED] = "used",
    [GRANT_EXPIRED] = "expired",
    [GRANT_REVOKED] = "revoked",
};

const char *
grant_state_text(GrantState state)
{
    return state_texts[state];
}

char *
grant_draw_id(void)
{
    uint8_t bytes[ID_BYTES];
    GString *id = g_string_new(NULL);

    g_assert(getrandom(bytes, sizeof(bytes), 0) == (ssize_t) sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        g_string_append_printf(id, "%02x", bytes[i]);
    return g_string_free(id, FALSE);
}

static unsigned
kind_of(const char *kind)
{
    if (g_strcmp0(kind, "audio") == 0)
        return ACCESS_TRACKS_AUDIO;
    return g_strcmp0(kind, "video") == 0 ? ACCESS_TRACKS_VIDEO : ACCESS_TRACKS_TEXT;
}

bool
grant_has_track(const Grant *self, const char *track, unsigned kind)
{
    return (self->decision.tracks & kind) != 0 &&
           (self->request->tracks == NULL ||
            g_strv_contains((const char *const *) self->request->tracks, track));
}

static json_t *
gaps_to_json(const GArray *gaps)
{
    json_t *list = json_array();

    for (guint i = 0; i < gaps->len; i++) {
        const LayoutGap *gap = &g_array_index(gaps, LayoutGap, i);

        json_array_append_new(
            list, json_pack("{s:I, s:I, s:s}", "start_us", (json_int_t) gap->start_us,
                            "duration_us", (json_int_t) gap->duration_us, "reason", gap->reason));
    }
    return list;
}

/* How many parts the track has. */
static int
count_parts(const ManifestPart *manifest, const char *track)
{
    uint32_t n_parts = 0;

    for (guint i = 0; i < manifest->segments->len; i++) {
        const ManifestSegment *segment = manifest->segments->pdata[i];

        if (g_str_equal(segment->track, track))
            n_parts = MAX(n_parts, segment->part + 1);
    }
    return (int) n_parts;
}

static const ManifestTrack *
find_track(const ManifestPart *manifest, const char *id)
{
    for (guint i = 0; i < manifest->tracks->len; i++) {
        const ManifestTrack *track = manifest->tracks->pdata[i];

        if (g_str_equal(track->id, id))
            return track;
    }
    return NULL;
}

static bool
on_wants_track(const char *track, void *user_data)
{
    return true;
}

static json_t *
describe_tracks(const Grant *self, const Recording *recording)
{
    const ManifestPart *manifest = recording_manifest(recording);
    g_autoptr(GHashTable) roles = session_people_roles(session_case_people(self->session));
    g_autoptr(LayoutPlan) plan = layout_plan_new(manifest, roles, on_wants_track, NULL);
    const GArray *rows = layout_plan_tracks(plan);
    json_t *list = json_array();

    for (guint i = 0; i < rows->len; i++) {
        const LayoutTrack *row = &g_array_index(rows, LayoutTrack, i);
        const ManifestTrack *track = find_track(manifest, row->id);

        if (track == NULL || !grant_has_track(self, row->id, kind_of(track->kind)))
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:o}", "id",
                                              row->id, "participant", row->participant, "caption",
                                              row->caption, "kind", track->kind, "codec",
                                              track->codec, "parts", count_parts(manifest, row->id),
                                              "from_us", (json_int_t) row->from_us, "until_us",
                                              (json_int_t) row->until_us, "gaps",
                                              gaps_to_json(row->gaps)));
    }
    return list;
}

/* Returns: the ids of the proofs of what it is bound to, owned; NULL: it is bound to nothing. */
static char *
list_evidence(const json_t *part2)
{
    const json_t *consents = json_object_get(part2, "consents");
    g_autoptr(GString) ids = g_string_new(NULL);

    for (size_t i = 0; i < json_array_size(consents); i++) {
        const json_t *row = json_array_get(consents, i);

        g_string_append_printf(ids, "%s%s", ids->len > 0 ? "," : "",
                               json_string_value(json_object_get(row, "evidence")));
    }
    return ids->len > 0 ? g_strdup(ids->str) : NULL;
}

Grant *
grant_new(const GrantOptions *options, GrantRequest *request)
{
    Grant *self = g_new0(Grant, 1);

    self->id = grant_draw_id();
    self->caller = caller_copy(options->caller);
    self->request = request;
    self->decision = *options->decision;
    self->review = g_strdup(options->review);
    self->issued_us = self->used_us = options->now_us;
    self->issued_unix_us = options->now_unix_us;
    self->session = session_case_ref(options->session);
    self->n_amendments = options->n_amendments;
    self->part2 = json_incref(options->part2);
    self->evidence = list_evidence(self->part2);
    self->tracks = describe_tracks(self, options->recording);
    return self;
}

/* Returns: owned. */
static char *
time_text(int64_t unix_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(unix_us / G_USEC_PER_SEC);

    return g_date_time_format_iso8601(time);
}

json_t *
grant_to_json(const Grant *self)
{
    g_autofree char *start_by = time_text(self->issued_unix_us + self->decision.start_us);
    g_autofree char *expires = time_text(self->issued_unix_us + self->decision.most_us);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:O, s:i}", "grant", self->id,
                  "org", self->caller->org, "session", self->request->session, "purpose",
                  self->request->purpose, "role", access_role_text(self->decision.role), "state",
                  grant_state_text(self->state), "start_by", start_by, "expires", expires, "idle_s",
                  (json_int_t) (self->decision.idle_us / G_USEC_PER_SEC), "from_us",
                  (json_int_t) self->request->from_us, "tracks", self->tracks, "amendments",
                  (int) self->n_amendments);

    g_assert(json != NULL);
    if (self->request->until_us != INT64_MAX)
        json_object_set_new(json, "to_us", json_integer(self->request->until_us));
    if (self->reason != NULL)
        json_object_set_new(json, "reason", json_string(self->reason));
    if (self->part2 != NULL)
        json_object_set(json, "part2", self->part2);
    if (self->review != NULL)
        json_object_set_new(json, "review", json_string(self->review));
    return json;
}

bool
grant_is_alive(const Grant *self)
{
    return self->state == GRANT_ISSUED || self->state == GRANT_USED;
}

static const char *
why_over(const Grant *self, int64_t now_us)
{
    if (now_us - self->issued_us >= self->decision.most_us)
        return "lifetime";
    if (self->state == GRANT_ISSUED && now_us - self->issued_us >= self->decision.start_us)
        return "not-started";
    if (self->state == GRANT_USED && now_us - self->used_us >= self->decision.idle_us)
        return "idle";
    return NULL;
}

bool
grant_expire(Grant *self, int64_t now_us)
{
    const char *reason = grant_is_alive(self) ? why_over(self, now_us) : NULL;

    if (reason == NULL)
        return false;
    self->state = GRANT_EXPIRED;
    self->reason = reason;
    return true;
}

bool
grant_covers(const Grant *self, char **tracks, int64_t from_us, int64_t until_us)
{
    for (char **id = tracks; id != NULL && *id != NULL; id++) {
        bool is_known = false;

        for (size_t i = 0; i < json_array_size(self->tracks) && !is_known; i++) {
            const json_t *row = json_array_get(self->tracks, i);

            is_known = g_strcmp0(json_string_value(json_object_get(row, "id")), *id) == 0;
        }
        if (!is_known)
            return false;
    }
    return from_us >= self->request->from_us && until_us <= self->request->until_us &&
           from_us < until_us;
}

void
grant_free(Grant *self)
{
    if (self == NULL)
        return;
    g_free(self->id);
    caller_free(self->caller);
    grant_request_free(self->request);
    g_free(self->review);
    json_decref(self->tracks);
    json_decref(self->part2);
    g_free(self->evidence);
    session_case_unref(self->session);
    g_free(self);
}
