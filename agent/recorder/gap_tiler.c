#include "agent/recorder/gap_tiler.h"

#include <stdbool.h>

typedef struct {
    int64_t start_us, end_us;
    const char *reason; /* interned: few and short */
} Gap;

struct GapTiler {
    GapTilerFunc on_gap;
    void *user_data;
    int64_t covered_us; /* segments and gaps reach up to here */
    int64_t told_us;    /* no gap was given out beyond */
    bool has_media;
    GArray *reported; /* Gap, in order of time, not yet given out */
};

GapTiler *
gap_tiler_new(int64_t from_us, GapTilerFunc on_gap, void *user_data)
{
    GapTiler *self = g_new0(GapTiler, 1);

    self->on_gap = on_gap;
    self->user_data = user_data;
    self->covered_us = self->told_us = from_us;
    self->reported = g_array_new(FALSE, FALSE, sizeof(Gap));
    return self;
}

static void
give_out(GapTiler *self, int64_t start_us, int64_t end_us, const char *reason)
{
    if (end_us <= start_us)
        return;
    self->on_gap(start_us, end_us - start_us, reason, self->user_data);
    self->told_us = MAX(self->told_us, end_us);
}

void
gap_tiler_add_gap(GapTiler *self, int64_t start_us, int64_t duration_us, const char *reason)
{
    const Gap gap = {start_us, start_us + duration_us, g_intern_string(reason)};

    if (duration_us > 0)
        g_array_append_val(self->reported, gap);
}

/* Fills the hole from what is covered to `until_us`: with the reported gaps where they lie, and
 * with `reason` elsewhere. */
static void
fill_hole(GapTiler *self, int64_t until_us, const char *reason)
{
    for (guint i = 0; i < self->reported->len && self->covered_us < until_us; i++) {
        Gap *gap = &g_array_index(self->reported, Gap, i);
        const int64_t end_us = MIN(gap->end_us, until_us);

        if (gap->start_us >= until_us || end_us <= self->covered_us)
            continue;
        give_out(self, self->covered_us, gap->start_us, reason);
        /* What began inside the segment before is told there. */
        give_out(self, gap->start_us, MIN(self->covered_us, end_us), gap->reason);
        give_out(self, MAX(gap->start_us, self->covered_us), end_us, gap->reason);
        self->covered_us = MAX(self->covered_us, end_us);
        gap->start_us = end_us;
    }
    give_out(self, self->covered_us, until_us, reason);
    self->covered_us = MAX(self->covered_us, until_us);
}

/* Gives out the reported gaps that begin before `until_us`. */
static void
give_out_reported(GapTiler *self, int64_t until_us)
{
    guint n_done = 0;

    while (n_done < self->reported->len) {
        const Gap *gap = &g_array_index(self->reported, Gap, n_done);

        if (gap->start_us >= until_us)
            break;
        give_out(self, gap->start_us, gap->end_us, gap->reason);
        n_done++;
    }
    g_array_remove_range(self->reported, 0, n_done);
}

void
gap_tiler_add_segment(GapTiler *self, int64_t start_us, int64_t end_us)
{
    fill_hole(self, start_us, self->has_media ? "source-restart" : "no-media");
    self->has_media = true;
    give_out_reported(self, end_us);
    self->covered_us = MAX(self->covered_us, end_us);
}

int64_t
gap_tiler_finish(GapTiler *self, int64_t until_us)
{
    fill_hole(self, until_us, "no-media");
    give_out_reported(self, self->covered_us);
    /* A loss inside the last segment may reach beyond it, and beyond the wall clock's end, for a
     * sender that was late in the beginning. */
    return MAX(self->covered_us, self->told_us);
}

void
gap_tiler_free(GapTiler *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->reported);
    g_free(self);
}
