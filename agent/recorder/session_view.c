#include "agent/recorder/session_internal.h"
#include "agent/recorder/session_withdrawal.h"

/* What a session shows of itself. */

const char *
session_hold(const Session *self, const SessionTrack *track)
{
    const ConsentReason decision = self->decisions[purpose_of(track->request)];

    if (decision != CONSENT_OK)
        return consent_reason_text(decision);
    return self->pause_reason;
}

static const char *
track_state(const Session *self, const SessionTrack *track)
{
    if (track->track == NULL)
        return track->is_keying ? "starting" : "not-recorded";
    if (track->is_ended && session_is_open(self))
        return "ended";
    if (!session_is_open(self))
        return session_state_text(self->state);
    return session_hold(self, track) == NULL ? "recording" : "paused";
}

/* What puts the track in step with others. */
static json_t *
sync_to_json(const RtpReceiverStatus *status)
{
    return json_pack("{s:s, s:I, s:I}", "sync", status->is_synced ? "reports" : "arrivals",
                     "sender_reports", (json_int_t) status->n_reports, "sender_reports_ignored",
                     (json_int_t) status->n_odd_reports);
}

/* Why less of a track is recorded than comes; NULL where nothing is amiss. */
static const char *
track_reason(const Session *self, const SessionTrack *track)
{
    const char *hold = session_is_open(self) ? session_hold(self, track) : NULL;

    if (hold != NULL || !session_is_open(self) || !track->is_limited)
        return hold;
    return "limit-bitrate";
}

/* Where it listens and what it counted. */
static void
add_numbers(const Session *self, const SessionTrack *track, const TrackStatus *status, json_t *form)
{
    const RtpReceiverStatus *receiver = &status->receiver;
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"port",            track_port(track->track)                      },
        {"rtcp_port",       track_port(track->track) + UINT64_C(1)        },
        {"packets",         receiver->n_packets                           },
        {"bytes",           receiver->n_bytes                             },
        {"lost",            receiver->n_lost                              },
        {"reordered",       receiver->n_reordered                         },
        {"recovered",       receiver->n_recovered                         },
        {"late",            receiver->n_late                              },
        {"duplicate",       receiver->n_duplicate                         },
        {"foreign",         receiver->n_foreign + receiver->n_foreign_ssrc},
        {"beside",          receiver->n_beside                            },
        {"paused",          receiver->n_paused                            },
        {"limited",         receiver->n_limited                           },
        {"unauthentic",     receiver->n_unauthentic                       },
        {"replayed",        receiver->n_replayed                          },
        {"kernel_dropped",  receiver->n_kernel_dropped                    },
        {"acknowledged_us", (uint64_t) status->sealer.acknowledged_us     },
        {"segments",        status->sealer.n_segments                     },
        {"lost_segments",   status->sealer.n_lost                         },
    };

    json_object_set_new(form, "host", json_string(self->services.settings->rtp_address));
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        json_object_set_new(form, numbers[i].name, json_integer((json_int_t) numbers[i].value));
    if (receiver->has_undeclared_type) {
        json_object_set_new(form, "undeclared_payload_type",
                            json_integer(receiver->undeclared_type));
    }
}

static json_t *
track_to_json(const Session *self, const SessionTrack *track)
{
    const char *reason = track_reason(self, track);
    json_t *form = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "id", track->request->id,
                             "participant", track->request->participant, "kind",
                             purpose_of(track->request) == PURPOSE_VIDEO ? "video" : "audio",
                             "codec", media_codec_name(track->request->format.codec), "state",
                             track_state(self, track), "reason", reason);
    TrackStatus status = {0};

    if (track->track == NULL)
        return form;
    track_status(track->track, &status);
    add_numbers(self, track, &status, form);
    json_object_update_new(form, sync_to_json(&status.receiver));
    return form;
}

/* Why the state is what it is; NULL where it says all. */
static const char *
state_reason(const Session *self)
{
    const ConsentReason reason = session_reason(self);

    if (self->state == SESSION_STATE_INCOMPLETE)
        return "segments-lost";
    if (self->state == SESSION_STATE_QUARANTINED)
        return consent_reason_text(CONSENT_WITHDRAWN);
    if (self->end_reason != NULL)
        return self->end_reason;
    if (self->state == SESSION_STATE_PAUSED && reason == CONSENT_OK)
        return self->pause_reason;
    if (self->state == SESSION_STATE_PAUSED || self->state == SESSION_STATE_NOT_RECORDED)
        return consent_reason_text(reason);
    return NULL;
}

json_t *
session_to_json(const Session *self)
{
    const ConsentReason reason = session_reason(self);
    g_autoptr(GDateTime) created =
        g_date_time_new_from_unix_utc(self->created_unix_us / G_USEC_PER_SEC);
    g_autofree char *created_text = g_date_time_format_iso8601(created);
    json_t *tracks = json_array();
    SpoolSpaceLevel level = SPOOL_SPACE_OK;

    for (guint i = 0; i < self->tracks->len; i++)
        json_array_append_new(tracks, track_to_json(self, g_ptr_array_index(self->tracks, i)));
    if (self->services.spool_watch != NULL)
        level = spool_watch_level(self->services.spool_watch);
    return json_pack("{s:s, s:s, s:s*, s:s*, s:s, s:s*, s:{s:s, s:s}, s:o, s:o*, s:s*, s:s*, s:s*}",
                     "session", self->id, "org", self->org, "reference", self->reference, "reason",
                     state_reason(self), "state", session_state_text(self->state), "created",
                     created_text, "decision", "result", reason == CONSENT_OK ? "permit" : "deny",
                     "reason", consent_reason_text(reason), "tracks", tracks, "source",
                     self->source != NULL ? janus_source_to_json(self->source) : NULL, "spool",
                     level != SPOOL_SPACE_OK ? spool_space_word(level) : NULL, "withdrawal",
                     session_withdrawal_text(self), "label", part2_label_text(self->label));
}

void
session_add_counts(const Session *self, SessionCounts *counts)
{
    for (guint i = 0; i < self->tracks->len; i++) {
        const SessionTrack *track = g_ptr_array_index(self->tracks, i);
        TrackStatus status = {0};

        if (track->track == NULL)
            continue;
        track_status(track->track, &status);
        counts->n_tracks += session_is_open(self) && !track->is_ended ? 1 : 0;
        counts->n_packets += status.receiver.n_packets;
        counts->n_arrived +=
            status.receiver.n_packets + status.receiver.n_paused + status.receiver.n_limited;
        counts->n_limited += status.receiver.n_limited;
        counts->n_bytes += status.receiver.n_bytes;
        counts->n_lost += status.receiver.n_lost;
        counts->n_kernel_dropped += status.receiver.n_kernel_dropped;
        counts->n_foreign += status.receiver.n_foreign + status.receiver.n_foreign_ssrc;
        counts->n_unauthentic += status.receiver.n_unauthentic;
        counts->n_replayed += status.receiver.n_replayed;
        counts->n_segments += status.sealer.n_segments;
        counts->n_lost_segments += status.sealer.n_lost;
    }
}

bool
session_has_ended(const Session *self)
{
    return !session_is_open(self) && self->state != SESSION_STATE_FINALISING;
}
