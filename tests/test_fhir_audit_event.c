#include "agent/audit/fhir_audit_event.h"
#include "tests/fakes/audit_samples.h"

#include <stdlib.h>
#include <string.h>

static json_t *
resource_of(const char *line)
{
    g_auto(AuditRecord) record = {0};

    audit_samples_parse(&record, line);
    return fhir_audit_event(&record, &audit_samples_source);
}

static void
test_reads_as_it_must(void)
{
    json_t *resource = resource_of(
        "7 2026-11-21T17:00:23.672566Z media-exported ok "
        "session=3b0c5a9e-6f0e-4f0e-9a55-8a6f1d1f2a11 actor=https://idp.example%7Csub-1 "
        "role=custodian use=HLEGAL token=t1 address=192.0.2.7 client=p-00,p-01 recipient=law-12 "
        "basis=other");
    json_t *wanted = json_loads(
        "{\"resourceType\":\"AuditEvent\","
        "\"type\":{\"system\":\"http://dicom.nema.org/resources/ontology/DCM\",\"code\":\"110106\","
        "\"display\":\"Export\"},"
        "\"subtype\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle\","
        "\"code\":\"extract\"},{\"system\":\"urn:sealtape:audit-event\",\"code\":\"media-"
        "exported\"}],"
        "\"action\":\"R\",\"recorded\":\"2026-11-21T17:00:23.672566Z\",\"outcome\":\"0\","
        "\"purposeOfEvent\":[{\"coding\":[{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/v3-ActReason\",\"code\":\"HLEGAL\"}]}],"
        "\"agent\":[{\"who\":{\"identifier\":{\"value\":\"https://idp.example|sub-1\"}},"
        "\"requestor\":true,\"role\":[{\"coding\":[{\"system\":\"urn:sealtape:role\","
        "\"code\":\"custodian\"}]}],\"policy\":[\"urn:ietf:params:oauth:jti:t1\"],"
        "\"network\":{\"address\":\"192.0.2.7\",\"type\":\"2\"}},"
        "{\"who\":{\"identifier\":{\"value\":\"recorder.host-1\"}},\"requestor\":false,"
        "\"type\":{\"coding\":[{\"system\":\"http://dicom.nema.org/resources/ontology/DCM\","
        "\"code\":\"110153\"}]},\"network\":{\"address\":\"host-1.example\",\"type\":\"1\"}},"
        "{\"who\":{\"identifier\":{\"value\":\"law-12\"}},\"requestor\":false,"
        "\"type\":{\"coding\":[{\"system\":\"http://dicom.nema.org/resources/ontology/DCM\","
        "\"code\":\"110152\"}]}}],"
        "\"source\":{\"site\":\"clinic-a\",\"observer\":{\"identifier\":{\"value\":"
        "\"recorder.host-1\"}},\"type\":[{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/security-source-type\",\"code\":\"4\","
        "\"display\":\"Application Server\"}]},"
        "\"entity\":[{\"what\":{\"identifier\":{\"value\":\"p-00\",\"system\":\"urn:sealtape:"
        "client\"}},"
        "\"type\":{\"system\":\"http://terminology.hl7.org/CodeSystem/audit-entity-type\","
        "\"code\":\"1\"},\"role\":{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/object-role\",\"code\":\"1\"}},"
        "{\"what\":{\"identifier\":{\"value\":\"p-01\",\"system\":\"urn:sealtape:client\"}},"
        "\"type\":{\"system\":\"http://terminology.hl7.org/CodeSystem/audit-entity-type\","
        "\"code\":\"1\"},\"role\":{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/object-role\",\"code\":\"1\"}},"
        "{\"what\":{\"identifier\":{\"value\":\"urn:uuid:3b0c5a9e-6f0e-4f0e-9a55-8a6f1d1f2a11\","
        "\"system\":\"urn:ietf:rfc:3986\"}},\"type\":{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/audit-entity-type\",\"code\":\"2\"},\"role\":"
        "{\"system\":\"http://terminology.hl7.org/CodeSystem/object-role\",\"code\":\"3\"},"
        "\"lifecycle\":{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle\",\"code\":\"10\"},"
        "\"detail\":[{\"type\":\"basis\",\"valueString\":\"other\"}]},"
        "{\"what\":{\"identifier\":{\"value\":\"recorder.host-1/clinic-a\",\"system\":"
        "\"urn:sealtape:audit-log\"}},\"type\":{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/audit-entity-type\",\"code\":\"2\"},\"role\":"
        "{\"system\":\"http://terminology.hl7.org/CodeSystem/object-role\",\"code\":\"13\"},"
        "\"detail\":[{\"type\":\"record\",\"valueString\":\"7\"}]}]}",
        0, NULL);
    char *found = json_dumps(resource, JSON_SORT_KEYS | JSON_INDENT(1));
    char *expected = json_dumps(wanted, JSON_SORT_KEYS | JSON_INDENT(1));

    g_assert_cmpstr(found, ==, expected);
    free(found);
    free(expected);
    json_decref(wanted);
    json_decref(resource);
}

/* Looks at each text: FHIR has no empty ones. */
static void
assert_no_empty_text(const json_t *value)
{
    const char *key = NULL;
    json_t *inside = NULL;
    size_t i = 0;

    if (json_is_string(value))
        g_assert_cmpstr(json_string_value(value), !=, "");
    json_object_foreach((json_t *) value, key, inside) assert_no_empty_text(inside);
    json_array_foreach(value, i, inside) assert_no_empty_text(inside);
}

static void
test_every_event_becomes_one(void)
{
    g_autoptr(GPtrArray) lines = audit_samples_lines();

    for (guint i = 0; i < lines->len; i++) {
        json_t *resource = resource_of(lines->pdata[i]);
        char *text = json_dumps(resource, 0);

        g_assert_nonnull(text);
        g_assert_null(strstr(text, "\"profile\""));
        assert_no_empty_text(resource);
        free(text);
        json_decref(resource);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fhir-audit-event/reads-as-it-must", test_reads_as_it_must);
    g_test_add_func("/fhir-audit-event/every-event-becomes-one", test_every_event_becomes_one);
    return g_test_run();
}
