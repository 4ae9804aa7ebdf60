#include "agent/admin/session_document.h"

#include "agent/admin/time_text.h"

#include <gio/gio.h>
#include <string.h>

#define OWN             "urn:sealtape:"
#define CONFIDENTIALITY "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

/* `Type/id`, a relative reference of FHIR R4. */
static bool
is_reference(const char *text, const char *type)
{
    const char *id = g_str_has_prefix(text, type) ? text + strlen(type) : "";
    const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    const size_t length = strlen(id);

    return length > 1 && length <= 65 && id[0] == '/' && strspn(id + 1, allowed) == length - 1;
}

static bool
is_loinc(const char *text)
{
    const size_t length = strlen(text);

    return length >= 3 && length <= 10 && text[length - 2] == '-' &&
           strspn(text, "0123456789") == length - 2 && g_ascii_isdigit(text[length - 1]);
}

static bool
is_plain_url(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);

    return uri != NULL && strcmp(g_uri_get_scheme(uri), "https") == 0 &&
           g_uri_get_host(uri) != NULL && *g_uri_get_host(uri) != '\0' &&
           g_uri_get_userinfo(uri) == NULL && g_uri_get_query(uri) == NULL &&
           g_uri_get_fragment(uri) == NULL;
}

gboolean
session_document_check(const SessionDocumentPlace *place, GError **error)
{
    const struct {
        const char *option, *text;
        bool is_good;
        const char *form;
    } rows[] = {
        {"subject",             place->subject,
         place->subject == NULL || is_reference(place->subject, "Patient"), "Patient/ID"},
        {"encounter",                     place->encounter,
         place->encounter == NULL || is_reference(place->encounter,   "Encounter"),         "Encounter/ID"},
        {"loinc",       place->loinc,                     place->loinc == NULL || is_loinc(place->loinc),
         "a code like 12345-6"            },
        {"url", place->url,               place->url == NULL || is_plain_url(place->url),
         "an https address without password, query and fragment: whoever follows it has to say who "
         "they "
         "are"            },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].is_good)
            continue;
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s: must be %s",
                    rows[i].option, rows[i].form);
        return FALSE;
    }
    return TRUE;
}

bool
session_document_is_due(const SessionFacts *facts)
{
    return strcmp(facts->state, "stored") == 0 || strcmp(facts->state, "incomplete") == 0;
}

static json_t *
coding(const char *system, const char *code, const char *display)
{
    json_t *row = json_pack("{s:s, s:s}", "system", system, "code", code);

    if (display != NULL)
        json_object_set_new(row, "display", json_string(display));
    return row;
}

/* Extensions of ours; what a reader does not know it passes over. `value`: of `kind`, taken. */
static void
add_fact(json_t *extensions, const char *name, const char *kind, json_t *value)
{
    g_autofree char *url = g_strconcat(OWN "document-", name, NULL);

    json_array_append_new(extensions, json_pack("{s:s, s:o}", "url", url, kind, value));
}

static void
add_text(json_t *extensions, const char *name, const char *text)
{
    if (text != NULL)
        add_fact(extensions, name, "valueString", json_string(text));
}

/* A track: which, of what kind, how it is coded, of which participant (an id of this session). */
static json_t *
track_of(const TrackFacts *facts)
{
    json_t *rows = json_array();

    add_text(rows, "track-id", facts->track->id);
    add_text(rows, "track-kind", facts->track->kind);
    add_text(rows, "track-codec", facts->track->codec);
    add_text(rows, "track-participant", facts->track->participant);
    return json_pack("{s:s, s:o}", "url", OWN "document-track", "extension", rows);
}

/* What became of it: FHIR has no place for these. */
static json_t *
facts_of(const SessionFacts *facts, const AnnotationView *view)
{
    json_t *rows = json_array();

    add_fact(rows, "state", "valueCode", json_string(facts->state));
    add_text(rows, "reason", facts->reason);
    add_fact(rows, "duration-ms", "valueDecimal", json_integer(facts->duration_us / 1000));
    add_fact(rows, "sealed-bytes", "valueDecimal", json_integer((json_int_t) facts->n_bytes));
    add_fact(rows, "gaps", "valueDecimal", json_integer(facts->manifest->gaps->len));
    for (guint i = 0; i < facts->tracks->len; i++)
        json_array_append_new(rows, track_of(facts->tracks->pdata[i]));
    if (view->retain_until != NULL)
        add_fact(rows, "retain-until", "valueDate", json_string(view->retain_until));
    add_fact(rows, "on-hold", "valueBoolean", json_boolean(view->matters->len > 0));
    add_fact(rows, "quarantined", "valueBoolean", json_boolean(view->quarantine != NULL));
    add_fact(rows, "restricted", "valueBoolean", json_boolean(view->restriction != NULL));
    if (view->certificate != NULL)
        add_text(rows, "erasure-certificate-sha256", view->certificate);
    return rows;
}

static bool
has_picture(const SessionFacts *facts)
{
    for (guint i = 0; i < facts->tracks->len; i++) {
        const TrackFacts *track = facts->tracks->pdata[i];

        if (strcmp(track->track->kind, "video") == 0)
            return true;
    }
    return false;
}

/* No size and no hash: of what is handed out, that depends on who asks for what. */
static json_t *
attachment_of(const SessionFacts *facts, const SessionDocumentPlace *place, const char *urn)
{
    json_t *attachment = json_pack("{s:s, s:s, s:s}", "contentType",
                                   has_picture(facts) ? "video/x-matroska" : "audio/x-matroska",
                                   "url", place->url != NULL ? place->url : urn, "title",
                                   "Recording of a telehealth session");

    if (facts->created != NULL)
        json_object_set_new(attachment, "creation", json_string(facts->created));
    return json_pack("[{s:o}]", "attachment", attachment);
}

static int64_t
begin_of(const SessionFacts *facts)
{
    for (guint i = 0; i < facts->tracks->len; i++) {
        const TrackFacts *track = facts->tracks->pdata[i];

        if (track->track->anchor_unix_us > 0)
            return track->track->anchor_unix_us;
    }
    return 0;
}

static void
set_times(json_t *document, json_t *context, const SessionFacts *facts)
{
    const int64_t begin_us = begin_of(facts);
    g_autofree char *end = time_text_format_unix(begin_us + facts->duration_us);

    if (begin_us == 0 || facts->created == NULL)
        return;
    json_object_set_new(document, "date", json_string(end));
    json_object_set_new(context, "period",
                        json_pack("{s:s, s:s}", "start", facts->created, "end", end));
}

static json_t *
type_of(const SessionDocumentPlace *place)
{
    json_t *codings = json_array();

    if (place->loinc != NULL)
        json_array_append_new(codings, coding("http://loinc.org", place->loinc, NULL));
    json_array_append_new(codings, coding(OWN "document", "session-recording", NULL));
    return json_pack("{s:o, s:s}", "coding", codings, "text", "Recording of a telehealth session");
}

json_t *
session_document_new(const SessionFacts *facts, const AnnotationView *view,
                     const SessionDocumentPlace *place)
{
    g_autofree char *urn = g_strconcat("urn:uuid:", facts->session, NULL);
    const bool is_kept_close = view->restriction != NULL || view->quarantine != NULL;
    json_t *context = json_object();
    json_t *document = json_pack("{s:s, s:o, s:{s:s, s:s}, s:s, s:s, s:o}", "resourceType",
                                 "DocumentReference", "extension", facts_of(facts, view),
                                 "masterIdentifier", "system", "urn:ietf:rfc:3986", "value", urn,
                                 "status", view->is_erased ? "superseded" : "current", "docStatus",
                                 "final", "type", type_of(place));

    if (place->subject != NULL)
        json_object_set_new(document, "subject", json_pack("{s:s}", "reference", place->subject));
    set_times(document, context, facts);
    json_object_set_new(
        document, "author",
        json_pack("[{s:s, s:s}]", "type", "Device", "display", "Sealtape " SEALTAPE_VERSION));
    json_object_set_new(document, "custodian",
                        json_pack("{s:s, s:{s:s, s:s}}", "type", "Organization", "identifier",
                                  "system", OWN "organization", "value", facts->org));
    json_object_set_new(
        document, "securityLabel",
        json_pack("[{s:[o]}]", "coding", coding(CONFIDENTIALITY, is_kept_close ? "V" : "R", NULL)));
    if (view->label != NULL) {
        json_array_append_new(json_object_get(document, "securityLabel"),
                              json_pack("{s:[o]}", "coding",
                                        coding("http://terminology.hl7.org/CodeSystem/v3-ActCode",
                                               "42CFRPart2", NULL)));
    }
    json_object_set_new(document, "content", attachment_of(facts, place, urn));
    if (place->encounter != NULL) {
        json_object_set_new(context, "encounter",
                            json_pack("[{s:s}]", "reference", place->encounter));
    }
    if (json_object_size(context) > 0) {
        json_object_set_new(document, "context", context);
    } else {
        json_decref(context);
    }
    return document;
}
