#include "storage/erasure_trace.h"

#include "storage/erasure.h"
#include "storage/erasure_note.h"
#include "storage/manifest_words.h"
#include "storage/object_key.h"

#include <string.h>

void
erasure_trace_free(ErasureTrace *self)
{
    if (self == NULL)
        return;
    g_free(self->reason);
    g_free(self->rule);
    g_free(self->table);
    g_free(self->requested);
    g_free(self->approved);
    g_free(self->until);
    g_free(self->certificate);
    g_free(self);
}

/* The order's `recorded <from> <until>`; older orders have none. */
static void
take_span(ErasureTrace *self, const ErasureNote *order)
{
    for (guint i = 0; i < order->lines->len; i++) {
        g_auto(GStrv) word = g_strsplit(order->lines->pdata[i], " ", -1);

        if (g_strv_length(word) == 3 && strcmp(word[0], "recorded") == 0 &&
            manifest_words_to_number(word[1], 1, INT64_MAX, &self->from_us) &&
            manifest_words_to_number(word[2], 1, INT64_MAX, &self->until_us))
            return;
    }
}

static ErasureTrace *
trace_of(const GPtrArray *read, const GPtrArray *notes)
{
    const ErasureNote *last = read->pdata[read->len - 1];
    const Digest digest = digest_of_bytes(notes->pdata[notes->len - 1]);
    ErasureTrace *self = g_new0(ErasureTrace, 1);

    self->at_unix_s = last->at_unix_s;
    self->reason = g_strdup(last->reason);
    self->rule = g_strdup(last->rule);
    self->table = g_strdup(last->table);
    self->requested = g_strdup(last->requested);
    self->approved = g_strdup(last->approved);
    self->until = g_strdup(last->until);
    take_span(self, read->pdata[0]);
    self->stage = last->part != ERASURE_CERTIFICATE ? ERASURE_STAGE_BEGUN
                  : strcmp(last->until, "-") != 0   ? ERASURE_STAGE_LOCKED
                                                    : ERASURE_STAGE_ENDED;
    if (self->stage != ERASURE_STAGE_BEGUN)
        self->certificate = digest_to_hex(&digest);
    return self;
}

ErasureTrace *
erasure_trace_read(ObjectStore *store, const char *org, const char *session, GPtrArray *annotators,
                   GError **error)
{
    const ErasureOrder order = {
        .store = store, .annotators = annotators, .org = org, .session = session};
    g_autoptr(GPtrArray) notes = NULL;
    g_autoptr(GPtrArray) read = erasure_read_notes(&order, &notes, error);

    return read != NULL && read->len > 0 ? trace_of(read, notes) : NULL;
}

char *
erasure_trace_describe(const ErasureTrace *self)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(self->at_unix_s);
    g_autofree char *day = g_date_time_format(at, "%Y-%m-%d");

    switch (self->stage) {
    case ERASURE_STAGE_BEGUN:
        return g_strdup_printf("its erasure (%s) was ordered on %s and has not ended", self->reason,
                               day);
    case ERASURE_STAGE_LOCKED:
        return g_strdup_printf("erased by key on %s (%s), bytes locked until %s, certificate %s",
                               day, self->reason, self->until, self->certificate);
    case ERASURE_STAGE_ENDED:
    default:
        return g_strdup_printf("erased on %s (%s), certificate %s", day, self->reason,
                               self->certificate);
    }
}

bool
erasure_trace_permits(const ErasureTrace *self, const char *relative)
{
    if (self->stage == ERASURE_STAGE_BEGUN || g_str_has_prefix(relative, "notes/"))
        return true;
    return self->stage == ERASURE_STAGE_LOCKED && !object_key_is_secret(relative);
}
