#include "agent/audit/atna_message.h"

#include "agent/audit/audit_code.h"
#include "agent/audit/plain_text.h"

#include <string.h>

#define OWN_CODES "99TSRA"

/* ` <name>="<value>"`. */
static void
add_attribute(GString *xml, const char *name, const char *value)
{
    g_autofree char *plain = plain_text(value);
    g_autofree char *escaped = g_markup_escape_text(plain, -1);

    g_string_append_printf(xml, " %s=\"%s\"", name, escaped);
}

typedef struct {
    const char *element;
    const char *code;
    const char *system;
    const char *meaning;
} Coded;

static void
add_coded(GString *xml, const Coded *coded)
{
    g_string_append_printf(xml, "<%s", coded->element);
    add_attribute(xml, "csd-code", coded->code);
    add_attribute(xml, "codeSystemName", coded->system);
    add_attribute(xml, "originalText", coded->meaning);
    g_string_append(xml, "/>");
}

static void
add_event(GString *xml, const AuditRecord *record)
{
    const AuditEvent *event = &record->event;
    const AuditCode *code = audit_code(event->kind);

    g_string_append_printf(xml, "<EventIdentification EventActionCode=\"%c\"",
                           audit_code_action(event));
    add_attribute(xml, "EventDateTime", record->time);
    g_string_append_printf(xml, " EventOutcomeIndicator=\"%u\">", audit_code_outcome(event));
    add_coded(xml, &(Coded){"EventID", code->event_id, "DCM", audit_code_meaning(code->event_id)});
    if (code->type != NULL) {
        add_coded(xml,
                  &(Coded){"EventTypeCode", code->type, "DCM", audit_code_meaning(code->type)});
    }
    add_coded(xml, &(Coded){"EventTypeCode", code->text, OWN_CODES, code->text});
    g_string_append(xml, "</EventIdentification>");
}

typedef struct {
    const char *id;
    bool is_requestor;
    const char *address;
    char address_type; /* of RFC 3881: 1 name of a machine, 2 IP address */
    Coded role;        /* `code` NULL: none is known */
    bool is_media;     /* stands for where something went, not for who */
} Person;

static void
add_person(GString *xml, const Person *person)
{
    g_string_append(xml, "<ActiveParticipant");
    add_attribute(xml, "UserID", person->id);
    add_attribute(xml, "UserIsRequestor", person->is_requestor ? "true" : "false");
    if (person->address != NULL) {
        add_attribute(xml, "NetworkAccessPointID", person->address);
        g_string_append_printf(xml, " NetworkAccessPointTypeCode=\"%c\"", person->address_type);
    }
    g_string_append_c(xml, '>');
    if (person->role.code != NULL)
        add_coded(xml, &person->role);
    if (person->is_media) {
        g_string_append(xml, "<MediaIdentifier>");
        add_coded(xml, &(Coded){"MediaType", "110037", "DCM", "URI"});
        g_string_append(xml, "</MediaIdentifier>");
    }
    g_string_append(xml, "</ActiveParticipant>");
}

static bool
is_handed_out(AuditKind kind)
{
    return kind == AUDIT_MEDIA_EXPORTED || kind == AUDIT_MEDIA_DISCLOSED;
}

/* Who got it, and as what: a recipient of its own, or whoever asked. */
static void
add_destination(GString *xml, const AuditEvent *event)
{
    if (event->recipient != NULL) {
        add_person(xml, &(Person){
                            .id = event->recipient,
                            .role = {"RoleIDCode", "110152", "DCM", "Destination Role ID"}
        });
    }
    add_person(xml, &(Person){
                        .id = event->grant != NULL ? event->grant : "-",
                        .role = {"RoleIDCode", "110154", "DCM", "Destination Media"},
                        .is_media = true
    });
}

/* At most one has asked for it: whoever acts, where that is known. */
static void
add_people(GString *xml, const AuditEvent *event, const AuditSourceId *source)
{
    const Coded program = is_handed_out(event->kind)
                              ? (Coded){"RoleIDCode", "110153", "DCM", "Source Role ID"}
                              : (Coded){"RoleIDCode", "110150", "DCM", "Application"};

    if (event->actor != NULL) {
        add_person(xml, &(Person){
                            .id = event->actor,
                            .is_requestor = true,
                            .address = event->address,
                            .address_type = '2',
                            .role = {"RoleIDCode", event->role, OWN_CODES, event->role}
        });
    }
    if (event->approver != NULL) {
        add_person(xml, &(Person){
                            .id = event->approver,
                            .role = {"RoleIDCode", "approver", OWN_CODES, "approver"}
        });
    }
    add_person(xml, &(Person){.id = source->origin,
                              .address = source->host,
                              .address_type = '1',
                              .role = program});
    if (is_handed_out(event->kind))
        add_destination(xml, event);
}

static void
add_source(GString *xml, const AuditSourceId *source)
{
    g_string_append(xml, "<AuditSourceIdentification");
    add_attribute(xml, "AuditEnterpriseSiteID", source->org);
    add_attribute(xml, "AuditSourceID", source->origin);
    g_string_append(xml, "><AuditSourceTypeCode csd-code=\"4\"/></AuditSourceIdentification>");
}

/* In base64, so that nothing in it can be markup. */
static void
add_detail(const char *name, const char *value, void *user_data)
{
    static const char *const elsewhere[] = {"session",  "client",    "actor",
                                            "approver", "recipient", NULL};
    GString *xml = user_data;
    g_autofree char *encoded = NULL;

    if (g_strv_contains(elsewhere, name))
        return;
    encoded = g_base64_encode((const guchar *) value, strlen(value));
    g_string_append_printf(xml, "<ParticipantObjectDetail type=\"%s\" value=\"%s\"/>", name,
                           encoded);
}

typedef struct {
    const char *id;
    const char *type; /* of RFC 3881: 1 person, 2 system object */
    const char *role; /* 1 patient, 3 report, 13 security resource */
    LifeCycle life_cycle;
    Coded id_type;
    const char *name;
} Object;

static void
begin_object(GString *xml, const Object *object)
{
    g_string_append(xml, "<ParticipantObjectIdentification");
    add_attribute(xml, "ParticipantObjectID", object->id);
    add_attribute(xml, "ParticipantObjectTypeCode", object->type);
    add_attribute(xml, "ParticipantObjectTypeCodeRole", object->role);
    if (object->life_cycle != LIFE_CYCLE_NONE) {
        g_string_append_printf(xml, " ParticipantObjectDataLifeCycle=\"%d\"",
                               (int) object->life_cycle);
    }
    g_string_append_c(xml, '>');
    add_coded(xml, &object->id_type);
    g_string_append_printf(xml, "<ParticipantObjectName>%s</ParticipantObjectName>", object->name);
}

static void
end_object(GString *xml)
{
    g_string_append(xml, "</ParticipantObjectIdentification>");
}

static void
add_session(GString *xml, const AuditEvent *event)
{
    const bool is_uuid = g_uuid_string_is_valid(event->session);
    g_autofree char *id = g_strconcat(is_uuid ? "urn:uuid:" : "", event->session, NULL);
    const Coded id_type =
        is_uuid ? (Coded){"ParticipantObjectIDTypeCode", "12", "RFC-3881", "URI"}
                : (Coded){"ParticipantObjectIDTypeCode", "session", OWN_CODES, "session"};

    begin_object(xml, &(Object){id, "2", "3", audit_code_life_cycle(event), id_type, "Recording"});
    audit_event_each(event, add_detail, xml);
    end_object(xml);
}

/* The log itself, with the record's number: what proofs and questions name it by. */
static void
add_log(GString *xml, const AuditRecord *record, const AuditSourceId *source)
{
    g_autofree char *id = g_strdup_printf("%s/%s", source->origin, source->org);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, record->number);

    begin_object(xml, &(Object){
                          id,
                          "2",
                          "13",
                          LIFE_CYCLE_NONE,
                          {"ParticipantObjectIDTypeCode", "log", OWN_CODES, "audit log"},
                          "Security Audit Log"
    });
    add_detail("record", number, xml);
    if (record->event.session == NULL)
        audit_event_each(&record->event, add_detail, xml);
    end_object(xml);
}

static void
add_clients(GString *xml, const AuditEvent *event)
{
    g_auto(GStrv) clients = event->client == NULL ? NULL : g_strsplit(event->client, ",", -1);

    for (char **client = clients; client != NULL && *client != NULL; client++) {
        begin_object(xml, &(Object){
                              *client,
                              "1",
                              "1",
                              LIFE_CYCLE_NONE,
                              {"ParticipantObjectIDTypeCode", "2", "RFC-3881", "Patient Number"},
                              "-"
        });
        end_object(xml);
    }
}

char *
atna_message(const AuditRecord *record, const AuditSourceId *source)
{
    const AuditEvent *event = &record->event;
    GString *xml = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>");

    add_event(xml, record);
    add_people(xml, event, source);
    add_source(xml, source);
    add_clients(xml, event);
    if (event->session != NULL)
        add_session(xml, event);
    add_log(xml, record, source);
    g_string_append(xml, "</AuditMessage>");
    return g_string_free(xml, FALSE);
}
