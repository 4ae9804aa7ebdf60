#include "tests/fakes/access_question.h"

#include <glib.h>

AccessDecision
access_question_ask(AccessQuestion *self)
{
    self->session.participants = self->people;
    return access_decide(&self->policy, &self->person, &self->session, &self->request,
                         self->now_us);
}

/* Somebody who has `role` and may do whatever the role may: own session, released, consented. */
AccessQuestion
access_question_new(AccessRole role, AccessAction action, const char *purpose)
{
    AccessQuestion self = {
        .policy = {.org = "clinic-a",
                   .is_enabled = true,
                   .mfa_roles = ALL_ROLES,
                   .mfa_most_us = 3600 * SECOND_US,
                   .mfa_fresh_us = 300 * SECOND_US,
                   .release = ACCESS_RELEASE_BY_HAND,
                   .start_us = 300 * SECOND_US,
                   .most_us = 3600 * SECOND_US,
                   .idle_us = 300 * SECOND_US,
                   .break_glass_us = 1800 * SECOND_US},
        .person = {.id = "https://idp.example|1",
                   .org = "clinic-a",
                   .subject = "me",
                   .roles = 1U << role,
                   .has_mfa = true,
                   .mfa_at_us = NOW_US - 60 * SECOND_US},
        .people = {{"you", "provider"},                                 {"you-2", "client"},      {"other", "observer"}                              },
        .session = {.org = "clinic-a",
                   .n_participants = 3,
                   .consents = ACCESS_CONSENT_TRANSCRIBE | ACCESS_CONSENT_QUALITY |
                                ACCESS_CONSENT_TRAINING,          .is_released = true,
                   .erase_requested_by = "another"},
        .request = {.action = action,
                   .purpose = purpose,
                   .has_reason = true,
                   .audit_is_ready = true},
        .now_us = NOW_US,
    };

    for (int i = 0; i < N_ACCESS_ROLES; i++)
        self.policy.may[i] = ALL_ACTIONS;
    self.people[role == ACCESS_ROLE_CLIENT ? 1 : 0].subject = "me";
    return self;
}

static void
no_policy(AccessQuestion *q)
{
    q->policy.org = NULL;
}
static void
stale(AccessQuestion *q)
{
    q->policy.valid_until_us = NOW_US;
}
static void
disabled(AccessQuestion *q)
{
    q->policy.is_enabled = false;
}
static void
other_org(AccessQuestion *q)
{
    q->session.org = "clinic-b";
}
static void
person_of_other_org(AccessQuestion *q)
{
    q->person.org = "clinic-b";
}
static void
no_id(AccessQuestion *q)
{
    q->person.id = "";
}
static void
no_role(AccessQuestion *q)
{
    q->person.roles = 0;
}
static void
unknown_role(AccessQuestion *q)
{
    q->person.roles = 1U << N_ACCESS_ROLES;
}
void
access_question_take_clock(AccessQuestion *q)
{
    q->now_us = 0;
}
static void
mfa_in_future(AccessQuestion *q)
{
    q->person.mfa_at_us = NOW_US + 61 * SECOND_US;
}
static void
narrowed(AccessQuestion *q)
{
    q->policy.may[ACCESS_ROLE_PROVIDER] = 0;
}
static void
misspelt(AccessQuestion *q)
{
    q->request.purpose = "treat";
}
static void
no_purpose(AccessQuestion *q)
{
    q->request.purpose = NULL;
}
static void
not_mine(AccessQuestion *q)
{
    q->person.subject = "nobody";
}
static void
no_subject(AccessQuestion *q)
{
    q->person.subject = q->people[0].subject = NULL;
}
static void
empty_subject(AccessQuestion *q)
{
    q->person.subject = q->people[0].subject = "";
}
static void
other_part(AccessQuestion *q)
{
    q->people[0].role = "observer";
}
static void
erased(AccessQuestion *q)
{
    q->session.is_erased = true;
}
static void
still_open(AccessQuestion *q)
{
    q->session.is_open = true;
}
static void
quarantined(AccessQuestion *q)
{
    q->session.is_quarantined = true;
}
static void
restricted(AccessQuestion *q)
{
    q->session.is_restricted = true;
}
static void
not_released(AccessQuestion *q)
{
    q->session.is_released = false;
}
static void
never_released(AccessQuestion *q)
{
    q->policy.release = ACCESS_RELEASE_NEVER;
}
static void
unknown_release(AccessQuestion *q)
{
    q->policy.release = (AccessReleaseRule) 7;
}
static void
no_consent(AccessQuestion *q)
{
    q->session.consents = 0;
}
static void
to_others(AccessQuestion *q)
{
    q->session.part2 = PART2_RECORD;
    q->session.part2_consents = 0;
    q->request.is_outside = true;
}
static void
of_notes(AccessQuestion *q)
{
    q->session.part2 = PART2_NOTES;
    q->session.part2_consents = PART2_CONSENT_TPO | PART2_CONSENT_OTHER | PART2_CONSENT_LEGAL;
}
static void
in_proceedings(AccessQuestion *q)
{
    q->session.part2 = PART2_NOTES;
    q->session.part2_consents = PART2_CONSENT_TPO | PART2_CONSENT_OTHER | PART2_CONSENT_NOTES;
}
static void
video(AccessQuestion *q)
{
    q->request.tracks = ACCESS_TRACKS_VIDEO;
}
static void
held(AccessQuestion *q)
{
    q->session.n_holds = 1;
}
static void
not_requested(AccessQuestion *q)
{
    q->session.erase_requested_by = NULL;
}
static void
same_person(AccessQuestion *q)
{
    q->session.erase_requested_by = q->person.id;
}
static void
no_reason(AccessQuestion *q)
{
    q->request.has_reason = false;
}
static void
no_mfa(AccessQuestion *q)
{
    q->person.has_mfa = false;
}
static void
old_mfa(AccessQuestion *q)
{
    q->person.mfa_at_us = NOW_US - 3601 * SECOND_US;
}
static void
undated_mfa(AccessQuestion *q)
{
    q->person.mfa_at_us = 0;
}
static void
mfa_not_fresh(AccessQuestion *q)
{
    q->person.mfa_at_us = NOW_US - 301 * SECOND_US;
}
static void
no_audit(AccessQuestion *q)
{
    q->request.audit_is_ready = false;
}
static void
no_action(AccessQuestion *q)
{
    q->request.action = N_ACCESS_ACTIONS;
}
static void
no_such_action(AccessQuestion *q)
{
    q->request.action = (AccessAction) 77;
}

static void
operator(AccessQuestion *q)
{
    q->person.is_operator = true;
}

static void
operator_without_mfa(AccessQuestion *q)
{
    q->person.is_operator = q->policy.operators_need_mfa = true;
    q->person.has_mfa = false;
}

static void
purposes_narrowed(AccessQuestion *q)
{
    static const char *const left[] = {"BTG", NULL};

    q->policy.purposes[ACCESS_ROLE_PROVIDER] = left;
}

void
access_question_make_confidential(AccessQuestion *q)
{
    q->people[1] = (AccessParticipant){"minor", "client"};
    q->people[2] = (AccessParticipant){"me", "guardian"};
    q->session.is_minor_alone = true;
}

#define PROVIDER    ACCESS_ROLE_PROVIDER
#define CLIENT      ACCESS_ROLE_CLIENT
#define CUSTODIAN   ACCESS_ROLE_CUSTODIAN
#define TRANSCRIBER ACCESS_ROLE_TRANSCRIBER

/* In the order of the list, so that a row that is gone shows. */
const AccessFault access_faults[] = {
    {"no action", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_INTERNAL_ERROR, no_action},
    {"impossible action", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_INTERNAL_ERROR, no_such_action},
    {"no policy", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_POLICY_MISSING, no_policy},
    {"stale", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_POLICY_STALE, stale},
    {"disabled", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_ORG_DISABLED, disabled},
    {"other's session", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_ORG_MISMATCH, other_org},
    {"other's person", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_ORG_MISMATCH, person_of_other_org},
    {"no id", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_PERSON_UNKNOWN, no_id},
    {"no role", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_PERSON_UNKNOWN, no_role},
    {"unknown role", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_PERSON_UNKNOWN, unknown_role},
    {"no clock", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_CLOCK_UNTRUSTED,
     access_question_take_clock},
    {"factor of tomorrow", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_CLOCK_UNTRUSTED, mfa_in_future},
    {"narrowed", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_ROLE_FORBIDDEN, narrowed},
    {"misspelt", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_PURPOSE_UNKNOWN, misspelt},
    {"no purpose", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_PURPOSE_UNKNOWN, no_purpose},
    {"never by hierarchy", PROVIDER, ACCESS_PLAY, "ETREAT", ACCESS_PURPOSE_FORBIDDEN, NULL},
    {"narrowed purposes", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_PURPOSE_FORBIDDEN,
     purposes_narrowed},
    {"other's", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_NOT_OWN, not_mine},
    {"nobody's", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_NOT_OWN, no_subject},
    {"empty", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_NOT_OWN, empty_subject},
    {"only an observer", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_NOT_OWN, other_part},
    {"other client's", CLIENT, ACCESS_PLAY, "PATRQT", ACCESS_NOT_OWN, not_mine},
    {"guardian", CLIENT, ACCESS_PLAY, "PATRQT", ACCESS_MINOR_CONFIDENTIAL,
     access_question_make_confidential},
    {"erased", CUSTODIAN, ACCESS_PLAY, "HLEGAL", ACCESS_SESSION_ERASED, erased},
    {"open", CUSTODIAN, ACCESS_PLAY, "HLEGAL", ACCESS_SESSION_OPEN, still_open},
    {"quarantined", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_SESSION_QUARANTINED, quarantined},
    {"quarantined", PROVIDER, ACCESS_PLAY, "BTG", ACCESS_SESSION_QUARANTINED, quarantined},
    {"quarantined", CUSTODIAN, ACCESS_PLAY, "HQUALIMP", ACCESS_SESSION_QUARANTINED, quarantined},
    {"quarantined", TRANSCRIBER, ACCESS_PLAY, "HOPERAT", ACCESS_SESSION_QUARANTINED, quarantined},
    {"restricted", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_SESSION_RESTRICTED, restricted},
    {"not released", CLIENT, ACCESS_PLAY, "PATRQT", ACCESS_NOT_RELEASED, not_released},
    {"never released", CLIENT, ACCESS_PLAY, "PATRQT", ACCESS_NOT_RELEASED, never_released},
    {"unknown rule", CLIENT, ACCESS_PLAY, "PATRQT", ACCESS_NOT_RELEASED, unknown_release},
    {"no transcribe", TRANSCRIBER, ACCESS_PLAY, "HOPERAT", ACCESS_CONSENT_MISSING, no_consent},
    {"no quality", CUSTODIAN, ACCESS_PLAY, "HQUALIMP", ACCESS_CONSENT_MISSING, no_consent},
    {"no training", CUSTODIAN, ACCESS_PLAY, "TRAIN", ACCESS_CONSENT_MISSING, no_consent},
    {"to others", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_PART2_CONSENT_MISSING, to_others},
    {"to others", CLIENT, ACCESS_PLAY, "PATRQT", ACCESS_PART2_CONSENT_MISSING, to_others},
    {"notes", CUSTODIAN, ACCESS_PLAY, "HOPERAT", ACCESS_PART2_CONSENT_MISSING, of_notes},
    {"notes", TRANSCRIBER, ACCESS_PLAY, "HOPERAT", ACCESS_PART2_CONSENT_MISSING, of_notes},
    {"proceedings", CUSTODIAN, ACCESS_PLAY, "HLEGAL", ACCESS_PART2_CONSENT_MISSING, in_proceedings},
    {"picture", TRANSCRIBER, ACCESS_PLAY, "HOPERAT", ACCESS_TRACK_FORBIDDEN, video},
    {"hold", CUSTODIAN, ACCESS_ERASE_APPROVE, NULL, ACCESS_HELD, held},
    {"nobody asked", CUSTODIAN, ACCESS_ERASE_APPROVE, NULL, ACCESS_NOT_REQUESTED, not_requested},
    {"one person", CUSTODIAN, ACCESS_ERASE_APPROVE, NULL, ACCESS_SECOND_PERSON, same_person},
    {"no reason", CUSTODIAN, ACCESS_PLAY, "HLEGAL", ACCESS_REASON_MISSING, no_reason},
    {"no reason", PROVIDER, ACCESS_PLAY, "BTG", ACCESS_REASON_MISSING, no_reason},
    {"no factor", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_MFA_REQUIRED, no_mfa},
    {"old factor", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_MFA_REQUIRED, old_mfa},
    {"undated factor", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_MFA_REQUIRED, undated_mfa},
    {"not fresh", PROVIDER, ACCESS_PLAY, "BTG", ACCESS_MFA_REQUIRED, mfa_not_fresh},
    {
        "operator",
        PROVIDER,
        ACCESS_PLAY,
        "BTG",
        ACCESS_MFA_REQUIRED,
        operator},
        {"operator", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_MFA_REQUIRED, operator_without_mfa},
        {"no audit", PROVIDER, ACCESS_PLAY, "TREAT", ACCESS_AUDIT_UNAVAILABLE, no_audit},
    };

const size_t n_access_faults = G_N_ELEMENTS(access_faults);

/* What may be taken away without anybody gaining by it. */
void (*const access_takes[])(AccessQuestion *q) = {
    no_policy,  stale,        disabled,       other_org,  no_id,      no_role,
    narrowed,   not_mine,     no_subject,     erased,     still_open, quarantined,
    restricted, not_released, never_released, no_consent, held,       not_requested,
    no_reason,  no_mfa,       no_audit,       misspelt,   to_others,
};

const size_t n_access_takes = G_N_ELEMENTS(access_takes);
