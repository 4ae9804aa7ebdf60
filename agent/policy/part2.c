#include "agent/policy/part2.h"

#include <glib.h>
#include <string.h>

/* In the order of their bits. */
static const char *const purposes[PART2_N_CONSENTS] = {"sud-tpo", "sud-other", "sud-legal",
                                                       "sud-notes"};

static const char *const labels[] = {
    [PART2_NONE] = NULL,
    [PART2_RECORD] = "part2",
    [PART2_NOTES] = "sud-notes",
};

Part2Label
part2_label(const char *name)
{
    for (int i = PART2_RECORD; i <= PART2_NOTES; i++) {
        if (g_strcmp0(labels[i], name) == 0)
            return (Part2Label) i;
    }
    return PART2_NONE;
}

const char *
part2_label_text(Part2Label label)
{
    return (size_t) label < G_N_ELEMENTS(labels) ? labels[label] : NULL;
}

const char *
part2_purpose(size_t i)
{
    return i < PART2_N_CONSENTS ? purposes[i] : NULL;
}

static bool
is_one_of(const char *text, const char *const *list)
{
    return text != NULL && g_strv_contains(list, text);
}

/* Section 2.31 says what needs a consent, 2.33 that one does for all of treatment, payment and
 * operations; inside the program (2.12(c)(3)), for the client (2.23) and in an emergency (2.51)
 * none is needed. Of counselling notes (2.31(b)) only who made them, the client, training and
 * keeping records are free. A label that nobody knows is as strict as the strictest. */
unsigned
part2_needs(Part2Label label, const char *use, bool is_outside)
{
    static const char *const tpo[] = {"TREAT",  "ETREAT",   "HPAYMT", "HOPERAT",
                                      "HCOMPL", "HQUALIMP", NULL};
    static const char *const free_of_notes[] = {"TREAT", "PATRQT", "TRAIN", "RECORDMGT", NULL};
    unsigned needs = 0;

    if (label == PART2_NONE || g_strcmp0(use, "BTG") == 0)
        return 0;
    if (g_strcmp0(use, "HLEGAL") == 0) {
        needs = PART2_CONSENT_LEGAL;
    } else if (is_outside) {
        needs = is_one_of(use, tpo) ? PART2_CONSENT_TPO : PART2_CONSENT_OTHER;
    }
    if (label == PART2_RECORD || (!is_outside && is_one_of(use, free_of_notes)))
        return needs;
    return (needs & PART2_CONSENT_LEGAL) | PART2_CONSENT_NOTES;
}

/* A yes goes for whom it names, and for nobody outside where it names nobody, but for the one that
 * does for all of treatment, payment and operations. A no that names nobody goes for everybody. */
static bool
concerns(const ConsentRecord *record, const char *purpose, const char *recipient)
{
    if (g_strcmp0(record->purpose, purpose) != 0)
        return false;
    if (record->recipient != NULL)
        return g_strcmp0(record->recipient, recipient) == 0;
    return recipient == NULL || strcmp(purpose, purposes[0]) == 0 ||
           g_strcmp0(record->state, "granted") != 0;
}

const ConsentRecord *
part2_bound(const ConsentParticipant *client, const char *purpose, const char *recipient)
{
    const ConsentRecord *newest = NULL;
    const size_t n = client->consents != NULL ? client->n_consents : 0;

    for (size_t i = 0; i < n; i++) {
        const ConsentRecord *record = &client->consents[i];

        if (concerns(record, purpose, recipient) &&
            (newest == NULL || record->at_us >= newest->at_us))
            newest = record;
    }
    return newest;
}

/* `client` with what it said for `recipient` alone. */
static ConsentParticipant
narrow(const ConsentParticipant *client, const char *purpose, const char *recipient)
{
    ConsentParticipant narrowed = *client;
    ConsentRecord *records = g_new0(ConsentRecord, client->n_consents + 1);

    narrowed.consents = records;
    narrowed.n_consents = 0;
    for (size_t i = 0; client->consents != NULL && i < client->n_consents; i++) {
        if (concerns(&client->consents[i], purpose, recipient))
            records[narrowed.n_consents++] = client->consents[i];
    }
    return narrowed;
}

static void
clear_client(void *data)
{
    g_free((ConsentRecord *) ((ConsentParticipant *) data)->consents);
}

static bool
is_given(const ConsentPolicy *policy, const ConsentSession *session, const char *purpose,
         const char *recipient, int64_t now_us)
{
    g_autoptr(GArray) clients = g_array_new(FALSE, FALSE, sizeof(ConsentParticipant));
    ConsentSession asked = *session;

    g_array_set_clear_func(clients, clear_client);
    for (size_t i = 0; session->participants != NULL && i < session->n_participants; i++) {
        const ConsentParticipant *one = &session->participants[i];

        if (g_strcmp0(one->role, "client") == 0) {
            const ConsentParticipant narrowed = narrow(one, purpose, recipient);

            g_array_append_val(clients, narrowed);
        }
    }
    asked.participants = (const ConsentParticipant *) (const void *) clients->data;
    asked.n_participants = clients->len;
    return consent_decide(policy, &asked, purpose, now_us).reason == CONSENT_OK;
}

unsigned
part2_consents(const ConsentPolicy *policy, const ConsentSession *session, const char *recipient,
               int64_t now_us)
{
    ConsentPolicy strict = {0};
    unsigned given = 0;

    if (policy == NULL || session == NULL)
        return 0;
    strict = *policy;
    /* The text, the age and who must say yes are those of being recorded. This is a text of its
     * own, without an end unless it names one, and the clients' alone to give. */
    strict.text_version = NULL;
    strict.max_age_us = 0;
    strict.roles = NULL;
    strict.evidence_required = true;
    for (size_t i = 0; i < PART2_N_CONSENTS; i++) {
        if (is_given(&strict, session, purposes[i], recipient, now_us))
            given |= 1U << i;
    }
    return given;
}

const char *
part2_notice(void)
{
    return "This record which has been disclosed to you is protected by Federal confidentiality "
           "rules (42 CFR part 2). These rules prohibit you from using or disclosing this record, "
           "or testimony that describes the information contained in this record, in any civil, "
           "criminal, administrative, or legislative proceedings by any Federal, State, or local "
           "authority, against the patient, unless authorized by the consent of the patient, "
           "except as provided at 42 CFR 2.12(c)(5) or as authorized by a court in accordance "
           "with 42 CFR 2.64 or 2.65. In addition, the Federal rules prohibit you from making any "
           "other use or disclosure of this record unless at least one of the following applies:\n"
           "(i) Further use or disclosure is expressly permitted by the written consent of the "
           "individual whose information is being disclosed in this record or as otherwise "
           "permitted by 42 CFR part 2.\n"
           "(ii) You are a covered entity or business associate and have received the record for "
           "treatment, payment, or health care operations, or\n"
           "(iii) You have received the record from a covered entity or business associate as "
           "permitted by 45 CFR part 164, subparts A and E.\n"
           "A general authorization for the release of medical or other information is NOT "
           "sufficient to meet the required elements of written consent to further use or "
           "redisclose the record (see 42 CFR 2.31).\n";
}

const char *
part2_short_notice(void)
{
    return "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";
}
