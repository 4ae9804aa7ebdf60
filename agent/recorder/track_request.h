#pragma once

#include "agent/media/media_format.h"
#include "agent/recorder/participants.h"
#include "agent/recorder/rtcp.h"
#include "agent/recorder/rtp_roles.h"
#include "agent/recorder/srtp_key.h"

#include <glib.h>
#include <jansson.h>

/* What the backend asks for in POST /v1/sessions/{id}/tracks, checked field by field. Every fault
 * is one sentence that names the field. A plain value. */
typedef struct {
    char *id;
    char *participant;
    MediaFormat format;
    SrtpKey *srtp;     /* NULL: plain RTP */
    RtpRoles roles;    /* of payload types beside format.payload_type */
    unsigned feedback; /* RtcpFeedback that its source understands */
} TrackRequest;

/* Reads one track of a session in which `participants` are present. The text of an SRTP key
 * in `form` is overwritten. Returns: the request, owned; NULL sets `fault`, owned. */
TrackRequest *track_request_parse(const json_t *form, const Participants *participants,
                                  char **fault);

void track_request_free(TrackRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrackRequest, track_request_free)
