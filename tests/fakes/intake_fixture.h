#pragma once

#include "agent/recorder/rtp_receiver.h"
#include "tests/fakes/receiver_log.h"

#include <glib.h>
#include <stdbool.h>

/* A receiver whose track declares every kind of payload type, and a log of what it gives on. */

enum {
    INTAKE_RTX = 97,
    INTAKE_RED = 63,
    INTAKE_EVENT = 126,
    INTAKE_FEC = 117,
    INTAKE_NOISE = 13,
    INTAKE_RTX_SSRC = 0xabcd,
};

typedef struct {
    ReceiverLog *log;
    RtpReceiver *receiver;
    RateLimit *rate;
    uint16_t rtx_sequence;
} IntakeFixture;

/* For g_test_add(). */
void intake_fixture_set_up(IntakeFixture *self, gconstpointer data);
void intake_fixture_tear_down(IntakeFixture *self, gconstpointer data);

/* `rate`: taken; NULL: no limit. `has_rtx_ssrc`: only INTAKE_RTX_SSRC may retransmit. */
void intake_fixture_set_up_with(IntakeFixture *self, RateLimit *rate, bool has_rtx_ssrc);

/* When packet `n` is sent. */
int64_t intake_fixture_time(unsigned n);

/* A datagram as it came. */
void intake_fixture_take(IntakeFixture *self, const uint8_t *bytes, size_t n_bytes, int64_t now_us);

/* Plain packets `first` to before `end`, at their times. */
void intake_fixture_send(IntakeFixture *self, unsigned first, unsigned end);

/* Ends the track at the time of packet `n`. */
RtpReceiverStatus intake_fixture_finish(IntakeFixture *self, unsigned n);

/* Numbers 0 to before `n` were given on in order, each at its time. */
void intake_fixture_assert_all(const IntakeFixture *self, unsigned n);
