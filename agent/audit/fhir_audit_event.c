#include "agent/audit/fhir_audit_event.h"

#include "agent/audit/audit_code.h"
#include "agent/audit/plain_text.h"

#include <string.h>

#define DCM        "http://dicom.nema.org/resources/ontology/DCM"
#define LIFE_CYCLE "http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle"
#define ISO        "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
#define REASON     "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define ENTITY     "http://terminology.hl7.org/CodeSystem/audit-entity-type"
#define ROLE       "http://terminology.hl7.org/CodeSystem/object-role"
#define SOURCE     "http://terminology.hl7.org/CodeSystem/security-source-type"
#define URI        "urn:ietf:rfc:3986"
#define OWN        "urn:sealtape:"

enum { MAX_WORD = 1024 };

/* Texts of FHIR are not empty; a code, an id and a uri have no spaces. */
static json_t *
text_of(const char *value)
{
    g_autofree char *plain = plain_text(value);

    return json_string(*plain == '\0' ? "-" : plain);
}

static json_t *
word_of(const char *value)
{
    g_autofree char *word = plain_text_word(value, MAX_WORD);

    return json_string(word);
}

static json_t *
coding_of(const char *system, const char *code, const char *display)
{
    json_t *coding = json_pack("{s:s, s:o}", "system", system, "code", word_of(code));

    if (display != NULL)
        json_object_set_new(coding, "display", json_string(display));
    return coding;
}

static json_t *
concept_of(const char *system, const char *code, const char *display)
{
    return json_pack("{s:[o]}", "coding", coding_of(system, code, display));
}

static json_t *
identifier_of(const char *system, const char *value)
{
    json_t *identifier = json_pack("{s:o}", "value", text_of(value));

    if (system != NULL)
        json_object_set_new(identifier, "system", json_string(system));
    return json_pack("{s:o}", "identifier", identifier);
}

static json_t *
subtypes_of(const AuditCode *code)
{
    json_t *subtypes = json_array();

    if (code->iso != NULL)
        json_array_append_new(subtypes, coding_of(ISO, code->iso, NULL));
    if (code->type != NULL)
        json_array_append_new(subtypes, coding_of(DCM, code->type, audit_code_meaning(code->type)));
    json_array_append_new(subtypes, coding_of(OWN "audit-event", code->text, NULL));
    return subtypes;
}

/* `type`: a code of DCM; NULL: none. */
static json_t *
agent_of(const char *type, const char *id, bool is_requestor)
{
    json_t *agent =
        json_pack("{s:o, s:b}", "who", identifier_of(NULL, id), "requestor", is_requestor);

    if (type != NULL)
        json_object_set_new(agent, "type", concept_of(DCM, type, NULL));
    return agent;
}

static json_t *
requestor_of(const AuditEvent *event)
{
    json_t *agent = agent_of(NULL, event->actor, true);

    if (event->role != NULL) {
        json_object_set_new(agent, "role",
                            json_pack("[o]", concept_of(OWN "role", event->role, NULL)));
    }
    if (event->token != NULL) {
        g_autofree char *token = plain_text_word(event->token, MAX_WORD);
        g_autofree char *uri = g_strconcat("urn:ietf:params:oauth:jti:", token, NULL);

        json_object_set_new(agent, "policy", json_pack("[s]", uri));
    }
    if (event->address != NULL) {
        json_object_set_new(
            agent, "network",
            json_pack("{s:o, s:s}", "address", text_of(event->address), "type", "2"));
    }
    return agent;
}

static json_t *
agents_of(const AuditEvent *event, const AuditSourceId *source)
{
    const bool is_handed_out =
        event->kind == AUDIT_MEDIA_EXPORTED || event->kind == AUDIT_MEDIA_DISCLOSED;
    json_t *agents = json_array();
    json_t *program = agent_of(is_handed_out ? "110153" : "110150", source->origin, false);

    if (event->actor != NULL)
        json_array_append_new(agents, requestor_of(event));
    if (event->approver != NULL)
        json_array_append_new(agents, agent_of(NULL, event->approver, false));
    json_object_set_new(program, "network",
                        json_pack("{s:o, s:s}", "address", text_of(source->host), "type", "1"));
    json_array_append_new(agents, program);
    if (event->recipient != NULL)
        json_array_append_new(agents, agent_of("110152", event->recipient, false));
    return agents;
}

static void
add_detail(const char *name, const char *value, void *user_data)
{
    static const char *const elsewhere[] = {"session", "client",  "actor", "approver",  "role",
                                            "use",     "address", "token", "recipient", NULL};

    if (!g_strv_contains(elsewhere, name)) {
        json_array_append_new(user_data,
                              json_pack("{s:s, s:o}", "type", name, "valueString", text_of(value)));
    }
}

static json_t *
entity_of(const char *type, const char *role, json_t *what)
{
    return json_pack("{s:o, s:o, s:o}", "what", what, "type", coding_of(ENTITY, type, NULL), "role",
                     coding_of(ROLE, role, NULL));
}

static void
set_details(json_t *entity, json_t *details)
{
    if (json_array_size(details) > 0)
        json_object_set(entity, "detail", details);
    json_decref(details);
}

static json_t *
session_of(const AuditEvent *event)
{
    const bool is_uuid = g_uuid_string_is_valid(event->session);
    g_autofree char *id = g_strconcat(is_uuid ? "urn:uuid:" : "", event->session, NULL);
    const LifeCycle life_cycle = audit_code_life_cycle(event);
    json_t *entity = entity_of("2", "3", identifier_of(is_uuid ? URI : OWN "session", id));
    json_t *details = json_array();

    if (life_cycle != LIFE_CYCLE_NONE) {
        g_autofree char *code = g_strdup_printf("%d", (int) life_cycle);

        json_object_set_new(entity, "lifecycle", coding_of(LIFE_CYCLE, code, NULL));
    }
    audit_event_each(event, add_detail, details);
    set_details(entity, details);
    return entity;
}

static json_t *
log_of(const AuditRecord *record, const AuditSourceId *source)
{
    g_autofree char *id = g_strdup_printf("%s/%s", source->origin, source->org);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, record->number);
    json_t *entity = entity_of("2", "13", identifier_of(OWN "audit-log", id));
    json_t *details = json_array();

    add_detail("record", number, details);
    if (record->event.session == NULL)
        audit_event_each(&record->event, add_detail, details);
    set_details(entity, details);
    return entity;
}

static json_t *
entities_of(const AuditRecord *record, const AuditSourceId *source)
{
    const AuditEvent *event = &record->event;
    g_auto(GStrv) clients = event->client == NULL ? NULL : g_strsplit(event->client, ",", -1);
    json_t *entities = json_array();

    for (char **client = clients; client != NULL && *client != NULL; client++)
        json_array_append_new(entities, entity_of("1", "1", identifier_of(OWN "client", *client)));
    if (event->session != NULL)
        json_array_append_new(entities, session_of(event));
    json_array_append_new(entities, log_of(record, source));
    return entities;
}

json_t *
fhir_audit_event(const AuditRecord *record, const AuditSourceId *source)
{
    const AuditEvent *event = &record->event;
    const AuditCode *code = audit_code(event->kind);
    const char action[] = {audit_code_action(event), '\0'};
    g_autofree char *outcome = g_strdup_printf("%u", audit_code_outcome(event));
    json_t *resource = json_pack(
        "{s:s, s:o, s:o, s:s, s:o, s:s}", "resourceType", "AuditEvent", "type",
        coding_of(DCM, code->event_id, audit_code_meaning(code->event_id)), "subtype",
        subtypes_of(code), "action", action, "recorded", text_of(record->time), "outcome", outcome);

    if (event->reason != NULL)
        json_object_set_new(resource, "outcomeDesc", text_of(event->reason));
    if (event->use != NULL) {
        json_object_set_new(resource, "purposeOfEvent",
                            json_pack("[o]", concept_of(REASON, event->use, NULL)));
    }
    json_object_set_new(resource, "agent", agents_of(event, source));
    json_object_set_new(resource, "source",
                        json_pack("{s:o, s:o, s:[o]}", "site", text_of(source->org), "observer",
                                  identifier_of(NULL, source->origin), "type",
                                  coding_of(SOURCE, "4", "Application Server")));
    json_object_set_new(resource, "entity", entities_of(record, source));
    return resource;
}
