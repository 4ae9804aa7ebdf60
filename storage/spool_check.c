#include "storage/spool_check.h"

#include "crypto/age_context.h"
#include "storage/manifest_words.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

/* Times stay so far from the limits that sums of two never overflow. */
static const int64_t max_us = INT64_MAX / 4;

enum { MAX_OBJECT_BYTES = 16 << 20 };

static bool
is_time(int64_t time_us)
{
    return time_us >= 0 && time_us <= max_us;
}

static bool
is_policy_line(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Digest digest;

    if (strcmp(words[0], "policy") != 0 || words[1] == NULL || !digest_from_hex(&digest, words[1]))
        return false;
    for (char **word = words + 2; *word != NULL; word++) {
        if (!manifest_words_is_word(*word))
            return false;
    }
    return true;
}

static bool
is_mark_line(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    return g_strv_length(words) == 3 && strcmp(words[0], "mark") == 0 &&
           manifest_words_is_word(words[1]) && manifest_words_is_reason(words[2]);
}

static bool
are_policy_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        /* Each line ends in a newline, so the last piece is empty. */
        if (line[1] == NULL)
            return **line == '\0';
        if (!is_policy_line(*line) && !is_mark_line(*line))
            return false;
    }
    return true;
}

static bool
is_track(const LedgerTrack *track)
{
    return age_context_id_is_valid(track->id) && manifest_words_is_word(track->kind) &&
           manifest_words_is_word(track->codec) && age_context_id_is_valid(track->participant) &&
           manifest_words_is_word(track->recipient) && is_time(track->from_us);
}

static bool
is_segment(const SpoolSegment *segment)
{
    return is_time(segment->start_us) && is_time(segment->duration_us) && segment->n_bytes > 0 &&
           segment->object_first <= segment->index;
}

static bool
is_track_end(const LedgerTrackEnd *end)
{
    const uint8_t n_known = end->counts.n_known;

    if (n_known != 0 && !track_counts_may_be(n_known))
        return false;
    for (size_t i = 0; i < N_TRACK_COUNTS; i++) {
        if (end->counts.of[i] > TRACK_COUNT_MAX)
            return false;
    }
    return is_time(end->until_us);
}

static bool
is_good(const SpoolRecord *record)
{
    switch (record->type) {
    case SPOOL_RECORD_POLICY:
        return are_policy_lines(record->policy_lines);
    case SPOOL_RECORD_TRACK:
        return is_track(&record->track);
    case SPOOL_RECORD_CLOCK:
        return is_time(record->clock.start_us);
    case SPOOL_RECORD_SEGMENT:
        return is_segment(&record->segment);
    case SPOOL_RECORD_GAP:
        return is_time(record->gap.start_us) && is_time(record->gap.duration_us) &&
               manifest_words_is_reason(record->gap.reason);
    case SPOOL_RECORD_TRACK_END:
        return is_track_end(&record->track_end);
    case SPOOL_RECORD_SESSION:
        return age_context_id_is_valid(record->session) &&
               age_context_id_is_valid(record->state.org) && is_time(record->state.created_unix_us);
    case SPOOL_RECORD_OBJECT:
        return record->object.n_bytes > 0 && record->object.n_bytes <= MAX_OBJECT_BYTES &&
               object_key_is_valid(record->object.name);
    case SPOOL_RECORD_BEGIN:
    case SPOOL_RECORD_END:
    case SPOOL_RECORD_SEGMENT_REF:
    case SPOOL_RECORD_CLOSE:
    case SPOOL_RECORD_PART:
    case SPOOL_RECORD_RELEASE:
    case SPOOL_RECORD_DROP:
    case SPOOL_RECORD_TRACK_STATE:
    case SPOOL_N_RECORD_TYPES:
    default:
        return true; /* our own */
    }
}

bool
spool_check_record(const SpoolRecord *record, GError **error)
{
    static const char *const names[SPOOL_N_RECORD_TYPES] = {
        [SPOOL_RECORD_SESSION] = "a session", [SPOOL_RECORD_POLICY] = "a policy line",
        [SPOOL_RECORD_TRACK] = "a track",     [SPOOL_RECORD_CLOCK] = "a clock",
        [SPOOL_RECORD_SEGMENT] = "a segment", [SPOOL_RECORD_GAP] = "a gap",
        [SPOOL_RECORD_TRACK_END] = "an end",  [SPOOL_RECORD_OBJECT] = "an object",
    };

    if (is_good(record))
        return true;
    g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT,
                "session %s: %s holds a value that no manifest may", record->session,
                names[record->type]);
    return false;
}
