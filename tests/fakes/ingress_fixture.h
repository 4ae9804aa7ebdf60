#pragma once

#include "agent/recorder/ingress.h"
#include "tests/fakes/receiver_log.h"

#include <glib.h>
#include <stdint.h>

/* A track of an ingress on loopback, and a socket that sends to it. Each process has an address of
 * 127.0.0.0/8 of its own, so that other tests of this machine neither take its ports nor send to
 * them. */
typedef struct {
    Ingress *ingress;
    IngressTrack *track;          /* NULL once it is finished */
    ReceiverLog *log;             /* of the ingress thread until the track is finished */
    int fd;                       /* sends to the track */
    SenderClocks *sender_clocks;  /* NULL: reports are not used */
    unsigned n_keyframe_requests; /* to be made with the first packets */
    int is_finished;              /* atomic */
    RtpReceiverStatus last;       /* once it is finished */
    GMutex busy;                  /* whoever has it keeps the ingress from taking more */
} IngressFixture;

const char *ingress_fixture_address(void);

/* An ingress with `n_pairs` of ports. */
Ingress *ingress_fixture_ingress(unsigned n_pairs);

/* The options of a track whose callbacks write into the log. */
IngressTrackOptions ingress_fixture_options(IngressFixture *self);

/* Returns: a socket that sends to `port`. */
int ingress_fixture_socket(uint16_t port);

/* For g_test_add(). */
void ingress_fixture_set_up(IngressFixture *self, gconstpointer data);
void ingress_fixture_tear_down(IngressFixture *self, gconstpointer data);

/* Sends packets `first` to before `end` at once, as those of a large frame are. */
void ingress_fixture_send(const IngressFixture *self, unsigned first, unsigned end);

/* Writes a sender report about the stream at packet `n`, with as much time since the first. */
enum { INGRESS_FIXTURE_REPORT = 28 };
void ingress_fixture_write_report(unsigned n, uint8_t bytes[INGRESS_FIXTURE_REPORT]);

/* Waits until `n` sender reports were looked at. */
RtpReceiverStatus ingress_fixture_wait_reports(const IngressFixture *self, uint64_t n);

/* Waits until `n` packets were given on, dropped or refused in all. */
RtpReceiverStatus ingress_fixture_wait(const IngressFixture *self, uint64_t n);

/* Finishes the track and waits until that is done; at once if it is. */
void ingress_fixture_finish(IngressFixture *self, int64_t until_us);
