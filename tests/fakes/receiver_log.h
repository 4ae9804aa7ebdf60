#pragma once

#include "agent/recorder/rtp_receiver.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A media server's packets to order, and a track that writes down what a receiver gives on. The
 * payload of every packet follows from its sequence number, and the log checks it. */

enum { SENT_SSRC = 0x5ea17a9e, SENT_TYPE = 96, SENT_RATE = 48000, SENT_TICKS = 960 };

typedef struct {
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t sequence;
    uint8_t payload_type;
    uint16_t n_payload;
} SentPacket;

/* Packet number `n` of a stream of 20 ms packets that starts at sequence 1000, timestamp 50000. */
SentPacket sent_packet(unsigned n);

/* Writes it; `bytes` has room for 12 + n_payload. Returns: its length. */
size_t sent_packet_write(const SentPacket *packet, uint8_t *bytes);

/* Gives it to the receiver as if it came at `now_us`. */
void sent_packet_send(const SentPacket *packet, RtpReceiver *receiver, int64_t now_us);

typedef struct {
    uint16_t sequence;
    uint32_t ssrc;
    int64_t time_us;
    bool follows_loss;
} LoggedPacket;

typedef struct {
    int64_t start_us, end_us;
    const char *reason; /* interned */
} LoggedGap;

typedef struct {
    GArray *packets; /* LoggedPacket */
    GArray *gaps;    /* LoggedGap */
    unsigned n_batches;
    unsigned n_restarts;
    unsigned restart_at; /* packets before the last restart */
} ReceiverLog;

ReceiverLog *receiver_log_new(void);

/* A receiver that writes into `self`: 60 ms of reordering, gaps from 200 ms. Owned by the caller.
 */
RtpReceiver *receiver_log_receiver(ReceiverLog *self, int64_t from_us);

/* The options of such a receiver. */
RtpReceiverOptions receiver_log_options(ReceiverLog *self, int64_t from_us);

const LoggedPacket *receiver_log_packet(const ReceiverLog *self, unsigned i);
const LoggedGap *receiver_log_gap(const ReceiverLog *self, unsigned i);

/* Fails unless gap `i` is this. */
void receiver_log_assert_gap(const ReceiverLog *self, unsigned i, const LoggedGap *expected);

void receiver_log_free(ReceiverLog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReceiverLog, receiver_log_free)
