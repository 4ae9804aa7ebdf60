#include "agent/recorder/rtp_sync.h"

#include <glib.h>
#include <string.h>

enum {
    /* Reports agree if they are so near, and what the clocks of a machine may drift apart since. */
    NEAR_US = 20000,
    DRIFT_SHARE = 500,
    /* So many agreeing reports are believed at first, and against what was believed. */
    ENOUGH_TO_BEGIN = 2,
    ENOUGH_TO_STEP = 3,
    /* So long after the last one a stream keeps its skew, but follows its own arrivals again. */
    STALE_US = 30 * G_USEC_PER_SEC,
};

void
rtp_sync_init(RtpSync *self, SenderClocks *clocks)
{
    *self = (RtpSync){.clocks = clocks != NULL ? sender_clocks_ref(clocks) : NULL};
}

void
rtp_sync_restart(RtpSync *self)
{
    if (self->member != NULL)
        sender_clocks_leave(self->clocks, self->member);
    *self = (RtpSync){.clocks = self->clocks};
}

void
rtp_sync_clear(RtpSync *self)
{
    rtp_sync_restart(self);
    sender_clocks_unref(self->clocks);
    self->clocks = NULL;
}

/* 32.32 bits of seconds since 1900. */
static int64_t
ntp_us(uint64_t ntp_time)
{
    return (int64_t) (ntp_time >> 32) * G_USEC_PER_SEC +
           (int64_t) ((ntp_time & UINT32_MAX) * G_USEC_PER_SEC >> 32);
}

static bool
agrees(const RtpSyncBase *base, int64_t base_us, int64_t at_us)
{
    return base->n_agreeing > 0 &&
           ABS(base_us - base->base_us) <= NEAR_US + (at_us - base->at_us) / DRIFT_SHARE;
}

static void
take_name(RtpSync *self, const RtcpReport *report)
{
    if (report->n_cname == 0 || (report->n_cname == self->n_cname &&
                                 memcmp(report->cname, self->cname, self->n_cname) == 0))
        return;
    /* Another sender, unless it only had no name before. */
    rtp_sync_restart(self);
    self->n_cname = report->n_cname;
    memcpy(self->cname, report->cname, report->n_cname);
}

static void
join(RtpSync *self, const RtpClock *clock, int64_t arrival_us)
{
    const int64_t floor_us = delay_floor_at(&clock->floor, arrival_us);
    const SenderView view = {self->cname, self->n_cname, arrival_us, floor_us - self->used.base_us};

    if (self->member == NULL)
        self->member = sender_clocks_join(self->clocks, &view);
}

/* What disagrees may be nonsense, or the sender has set its clock: media does not jump for that. */
static bool
take_doubted(RtpSync *self, int64_t base_us, int64_t arrival_us)
{
    const bool is_first = self->used.n_agreeing == 0;

    if (!agrees(&self->doubted, base_us, arrival_us))
        self->doubted.n_agreeing = 0;
    self->doubted = (RtpSyncBase){base_us, arrival_us, self->doubted.n_agreeing + 1};
    if (self->doubted.n_agreeing < (is_first ? ENOUGH_TO_BEGIN : ENOUGH_TO_STEP))
        return false;
    if (is_first) {
        self->used = self->doubted;
    } else {
        self->step_us += base_us - self->used.base_us;
        self->used.at_us = arrival_us;
    }
    self->doubted.n_agreeing = 0;
    return true;
}

bool
rtp_sync_take(RtpSync *self, const RtcpReport *report, const RtpClock *clock, int64_t arrival_us)
{
    const int64_t lag_us = rtp_clock_lag_us(clock, report->rtp_timestamp, arrival_us);
    const int64_t media_us = rtp_clock_media_us(clock, report->rtp_timestamp, arrival_us);

    if (self->clocks == NULL || report->ntp_time == 0 || ABS(lag_us) > RTP_CLOCK_MAX_LAG_US)
        return false;
    take_name(self, report);
    const int64_t base_us = ntp_us(report->ntp_time) - self->step_us - media_us;
    if (agrees(&self->used, base_us, arrival_us)) {
        self->used = (RtpSyncBase){(self->used.base_us + base_us) / 2, arrival_us,
                                   self->used.n_agreeing + 1};
        self->doubted.n_agreeing = 0;
    } else if (!take_doubted(self, base_us, arrival_us)) {
        return false;
    }
    join(self, clock, arrival_us);
    return true;
}

bool
rtp_sync_shift_us(RtpSync *self, const RtpClock *clock, int64_t arrival_us, int64_t *shift_us)
{
    if (self->member == NULL)
        return false;
    const int64_t floor_us = delay_floor_at(&clock->floor, arrival_us);

    if (arrival_us - self->used.at_us < STALE_US) {
        const int64_t base_us = self->used.base_us;
        const int64_t skew_us =
            sender_member_offset_us(self->member, arrival_us, floor_us - base_us) + base_us -
            floor_us;
        self->skew_us = CLAMP(skew_us, -SENDER_CLOCKS_MAX_SKEW_US, SENDER_CLOCKS_MAX_SKEW_US);
    }
    *shift_us = floor_us + self->skew_us;
    return true;
}
