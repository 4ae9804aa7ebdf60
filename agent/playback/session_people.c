#include "agent/playback/session_people.h"

#include "crypto/age_context.h"
#include "crypto/age_file.h"
#include "crypto/crypto_error.h"
#include "storage/storage_error.h"

#include <jansson.h>

struct SessionPeople {
    GPtrArray *people;   /* SessionPerson */
    GStringChunk *texts; /* of the consents */
    char *service;       /* NULL: not said */
    bool is_whole;       /* nobody and nothing was left out */
};

static void
person_free(gpointer data)
{
    SessionPerson *self = data;

    g_free(self->id);
    g_free(self->role);
    g_free(self->subject);
    g_free(self->jurisdiction);
    g_array_unref(self->consents);
    g_free(self);
}

static SessionPeople *
people_new(void)
{
    SessionPeople *self = g_new0(SessionPeople, 1);

    self->people = g_ptr_array_new_with_free_func(person_free);
    self->texts = g_string_chunk_new(1024);
    self->is_whole = true;
    return self;
}

static const char *
member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static const char *
keep(SessionPeople *self, const char *text)
{
    return text == NULL ? NULL : g_string_chunk_insert_const(self->texts, text);
}

/* Returns: 0 for what is no time, which denies. */
static int64_t
time_of(const json_t *consent, const char *name)
{
    const char *text = member(consent, name);
    g_autoptr(GDateTime) time = text == NULL ? NULL : g_date_time_new_from_iso8601(text, NULL);

    return time == NULL
               ? 0
               : g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
}

static void
add_consent(SessionPeople *self, SessionPerson *person, const json_t *consent)
{
    const ConsentRecord record = {
        .purpose = keep(self, member(consent, "purpose")),
        .state = keep(self, member(consent, "state")),
        .text_version = keep(self, member(consent, "text_version")),
        .evidence = keep(self, member(consent, "evidence")),
        .at_us = time_of(consent, "at"),
        .until_us = time_of(consent, "until"),
        .is_guardians = g_strcmp0(member(consent, "by"), "guardian") == 0,
        .recipient = keep(self, member(consent, "recipient")),
    };

    if (record.purpose == NULL || record.state == NULL) {
        self->is_whole = false;
        return;
    }
    g_array_append_val(person->consents, record);
}

/* What decided whose yes counts for a minor. What is no age is as none. */
static void
read_minor(SessionPerson *person, const json_t *participant)
{
    const json_t *age = json_object_get(participant, "age");
    const json_int_t years = json_integer_value(age);

    person->is_minor = json_is_true(json_object_get(participant, "minor"));
    person->has_age = json_is_integer(age) && years >= 0 && years <= UINT8_MAX;
    person->age = person->has_age ? (unsigned) years : 0;
    person->jurisdiction = g_strdup(member(participant, "jurisdiction"));
    person->is_alone_rule =
        g_strcmp0(member(participant, "minor_rule"), minors_text(CONSENT_MINORS_ALONE)) == 0;
}

static void
add_person(SessionPeople *self, const json_t *participant)
{
    const json_t *consents = json_object_get(participant, "consents");
    const char *id = member(participant, "id");
    const char *role = member(participant, "role");
    SessionPerson *person = NULL;

    if (id == NULL || role == NULL || *role == '\0') {
        self->is_whole = false;
        return;
    }
    person = g_new0(SessionPerson, 1);
    person->id = g_strdup(id);
    person->role = g_strdup(role);
    person->subject = g_strdup(member(participant, "subject"));
    read_minor(person, participant);
    person->consents = g_array_new(FALSE, FALSE, sizeof(ConsentRecord));
    for (size_t i = 0; i < json_array_size(consents); i++)
        add_consent(self, person, json_array_get(consents, i));
    g_ptr_array_add(self->people, person);
}

SessionPeople *
session_people_parse(const char *text, size_t n_bytes)
{
    g_autoptr(SessionPeople) self = people_new();
    json_t *root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, NULL);
    const json_t *participants = json_object_get(root, "participants");
    const bool is_good = json_is_array(participants);

    self->service = g_strdup(member(root, "service"));
    for (size_t i = 0; i < json_array_size(participants); i++)
        add_person(self, json_array_get(participants, i));
    json_decref(root);
    return is_good ? g_steal_pointer(&self) : NULL;
}

static SessionPeople *
open_meta(const ManifestPart *manifest, GPtrArray *identities, GBytes *sealed, char **trouble,
          GError **error)
{
    g_autoptr(AgeContext) context = age_context_new_meta(manifest->org, manifest->session);
    g_autoptr(GError) cause = NULL;
    SessionPeople *people = NULL;
    GByteArray *plain = age_file_open(identities, context, g_bytes_get_data(sealed, NULL),
                                      g_bytes_get_size(sealed), &cause);

    if (g_error_matches(cause, CRYPTO_ERROR, CRYPTO_ERROR_TOKEN)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    if (plain == NULL) {
        *trouble = g_strdup_printf("the session's metadata does not open, so that nobody's role is "
                                   "known: %s",
                                   cause->message);
        return NULL;
    }
    people = session_people_parse((const char *) plain->data, plain->len);
    if (people == NULL)
        *trouble = g_strdup("the session's metadata is malformed, so that nobody's role is known");
    age_file_wipe(plain);
    return people;
}

SessionPeople *
session_people_read(ObjectStore *store, const ManifestPart *manifest, GPtrArray *identities,
                    char **trouble, GError **error)
{
    g_autofree char *name = g_strdup_printf("%s/%s/meta.age", manifest->org, manifest->session);
    g_autoptr(GError) cause = NULL;
    g_autoptr(GBytes) sealed = object_store_get(store, name, &cause);
    SessionPeople *people = NULL;

    *trouble = NULL;
    if (sealed != NULL) {
        people = open_meta(manifest, identities, sealed, trouble, &cause);
        if (people == NULL && *trouble == NULL) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
    } else if (g_error_matches(cause, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        *trouble = g_strdup("the session has no metadata, so that nobody's role is known");
    } else {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    return people != NULL ? people : people_new();
}

const GPtrArray *
session_people_list(const SessionPeople *self)
{
    return self->people;
}

static bool
is_alone(const SessionPerson *person)
{
    bool has_own = false, has_guardians = false;

    for (guint i = 0; i < person->consents->len; i++) {
        const ConsentRecord *one = &g_array_index(person->consents, ConsentRecord, i);

        has_own = has_own || !one->is_guardians;
        has_guardians = has_guardians || one->is_guardians;
    }
    return person->is_alone_rule || (person->is_minor && has_own && !has_guardians);
}

bool
session_people_have_minor_alone(const SessionPeople *self)
{
    for (guint i = 0; i < self->people->len; i++) {
        if (is_alone(self->people->pdata[i]))
            return true;
    }
    return false;
}

const char *
session_people_service(const SessionPeople *self)
{
    return self->service;
}

bool
session_people_are_whole(const SessionPeople *self)
{
    return self->is_whole;
}

ConsentParticipant
session_people_asked(const SessionPerson *person)
{
    return (ConsentParticipant){
        .id = person->id,
        .role = person->role,
        .consents = (const ConsentRecord *) (const void *) person->consents->data,
        .n_consents = person->consents->len,
        .is_minor = person->is_minor,
        .has_age = person->has_age,
        .age = person->age,
        .jurisdiction = person->jurisdiction,
    };
}

GHashTable *
session_people_roles(const SessionPeople *self)
{
    GHashTable *roles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; i < self->people->len; i++) {
        const SessionPerson *person = self->people->pdata[i];

        g_hash_table_replace(roles, g_strdup(person->id), g_strdup(person->role));
    }
    return roles;
}

void
session_people_free(SessionPeople *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->people);
    g_string_chunk_free(self->texts);
    g_free(self->service);
    g_free(self);
}
