#include "agent/opener/grant_request.h"

#include "agent/rules/org_policy.h"
#include "crypto/age_context.h"

#include <string.h>

#define MAX_TRACKS       256
#define MAX_REASON_BYTES 500

static bool
fail(char **fault, const char *member, const char *sentence)
{
    *fault = g_strdup_printf("`%s` %s.", member, sentence);
    return false;
}

static bool
check_members(const json_t *body, char **fault)
{
    static const char *const known[] = {"session", "org",   "purpose", "role",      "tracks",
                                        "from_us", "to_us", "reason",  "recipient", NULL};
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *) body, name, value)
    {
        if (!g_strv_contains(known, name)) {
            /* Whatever it is called goes back to nobody but who sent it, as text. */
            *fault = g_strdup("the body has a member that nobody knows: session, org, purpose, "
                              "role, tracks, from_us, to_us, reason and recipient are known.");
            return false;
        }
    }
    return true;
}

/* An id goes into names of objects, so only what can be one passes. */
static bool
read_id(const json_t *body, const char *name, bool is_required, char **value, char **fault)
{
    const json_t *member = json_object_get(body, name);
    const char *text = json_string_value(member);

    if (member == NULL)
        return !is_required || fail(fault, name, "is missing");
    if (text == NULL || strlen(text) != json_string_length(member) ||
        !age_context_id_is_valid(text))
        return fail(fault, name, "must be an id: at most 64 of a-z, 0-9, `.`, `_` and `-`");
    *value = g_strdup(text);
    return true;
}

static bool
is_code(const char *text)
{
    return *text != '\0' && strlen(text) <= 32 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text);
}

static bool
read_purpose(GrantRequest *self, const json_t *body, char **fault)
{
    const char *text = json_string_value(json_object_get(body, "purpose"));

    if (text == NULL)
        return fail(fault, "purpose", "is missing, or no text: a code such as TREAT or PATRQT");
    if (!is_code(text))
        return fail(fault, "purpose", "must be a code of capital letters, such as TREAT or PATRQT");
    self->purpose = g_strdup(text);
    return true;
}

static bool
read_role(GrantRequest *self, const json_t *body, char **fault)
{
    const json_t *member = json_object_get(body, "role");
    const char *text = json_string_value(member);

    if (member == NULL)
        return true;
    self->role = text != NULL ? org_policy_role(text) : 0;
    return self->role != 0 || fail(fault, "role", "must be a role, such as transcriber");
}

static bool
read_tracks(GrantRequest *self, const json_t *body, char **fault)
{
    const json_t *list = json_object_get(body, "tracks");
    const size_t n_tracks = json_array_size(list);

    if (list == NULL)
        return true;
    if (!json_is_array(list) || n_tracks == 0 || n_tracks > MAX_TRACKS)
        return fail(fault, "tracks", "must be a list of 1 to 256 ids of tracks");
    self->tracks = g_new0(char *, n_tracks + 1);
    for (size_t i = 0; i < n_tracks; i++) {
        const json_t *one = json_array_get(list, i);
        const char *id = json_string_value(one);

        if (id == NULL || strlen(id) != json_string_length(one) || !age_context_id_is_valid(id))
            return fail(fault, "tracks", "must be a list of 1 to 256 ids of tracks");
        if (g_strv_contains((const char *const *) self->tracks, id))
            return fail(fault, "tracks", "names a track twice");
        self->tracks[i] = g_strdup(id);
    }
    return true;
}

static bool
read_times(GrantRequest *self, const json_t *body, char **fault)
{
    const json_t *from = json_object_get(body, "from_us");
    const json_t *until = json_object_get(body, "to_us");

    self->until_us = INT64_MAX;
    if (from != NULL && (!json_is_integer(from) || json_integer_value(from) < 0))
        return fail(fault, "from_us", "must be a whole number of microseconds, 0 or more");
    if (until != NULL && (!json_is_integer(until) || json_integer_value(until) <= 0))
        return fail(fault, "to_us", "must be a whole number of microseconds, 1 or more");
    if (from != NULL)
        self->from_us = json_integer_value(from);
    if (until != NULL)
        self->until_us = json_integer_value(until);
    return self->from_us < self->until_us || fail(fault, "to_us", "is not after from_us");
}

static bool
read_reason(GrantRequest *self, const json_t *body, char **fault)
{
    const json_t *member = json_object_get(body, "reason");
    const char *text = json_string_value(member);

    if (member == NULL)
        return true;
    if (text == NULL || strlen(text) != json_string_length(member) ||
        strlen(text) > MAX_REASON_BYTES)
        return fail(fault, "reason", "must be a text of at most 500 bytes");
    self->reason = g_strstrip(g_strdup(text));
    return *self->reason != '\0' || fail(fault, "reason", "must say something");
}

GrantRequest *
grant_request_parse(const json_t *body, char **fault)
{
    g_autoptr(GrantRequest) self = g_new0(GrantRequest, 1);

    *fault = NULL;
    if (!json_is_object(body)) {
        *fault = g_strdup("the request needs a body.");
        return NULL;
    }
    if (check_members(body, fault) && read_id(body, "session", true, &self->session, fault) &&
        read_id(body, "org", false, &self->org, fault) && read_purpose(self, body, fault) &&
        read_role(self, body, fault) && read_tracks(self, body, fault) &&
        read_times(self, body, fault) && read_reason(self, body, fault) &&
        read_id(body, "recipient", false, &self->recipient, fault))
        return g_steal_pointer(&self);
    return NULL;
}

GrantRequest *
grant_request_copy(const GrantRequest *self)
{
    GrantRequest *copy = g_memdup2(self, sizeof(*self));

    copy->session = g_strdup(self->session);
    copy->org = g_strdup(self->org);
    copy->purpose = g_strdup(self->purpose);
    copy->tracks = g_strdupv(self->tracks);
    copy->reason = g_strdup(self->reason);
    copy->recipient = g_strdup(self->recipient);
    return copy;
}

char **
grant_request_split_tracks(const char *text)
{
    g_auto(GStrv) ids = g_strsplit(text, ",", MAX_TRACKS + 1);

    for (char **id = ids; *id != NULL; id++) {
        if (!age_context_id_is_valid(*id))
            return NULL;
    }
    return *ids == NULL ? NULL : g_steal_pointer(&ids);
}

bool
grant_request_read_time(const char *text, int64_t *time_us)
{
    return g_ascii_string_to_signed(text, 10, 0, INT64_MAX, time_us, NULL);
}

void
grant_request_free(GrantRequest *self)
{
    if (self == NULL)
        return;
    g_free(self->session);
    g_free(self->org);
    g_free(self->purpose);
    g_strfreev(self->tracks);
    if (self->reason != NULL)
        explicit_bzero(self->reason, strlen(self->reason));
    g_free(self->reason);
    g_free(self->recipient);
    g_free(self);
}
