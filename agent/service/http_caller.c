#include "agent/service/http_caller.h"

#include "agent/service/http_accept.h"
#include "agent/service/http_request_private.h"

#include <pwd.h>
#include <string.h>

#define MAX_PASSWD_BYTES 16384

static SoupMessageHeaders *
headers_of(const HttpRequest *self)
{
    return soup_server_message_get_request_headers(http_request_message(self));
}

const char *
http_caller_header(const HttpRequest *self, const char *name)
{
    const char *list = soup_message_headers_get_list(headers_of(self), name);
    const char *one = soup_message_headers_get_one(headers_of(self), name);

    /* A list of several is not one of them. */
    return list != NULL && one != NULL && strcmp(list, one) == 0 ? one : NULL;
}

bool
http_caller_has_header(const HttpRequest *self, const char *name)
{
    return soup_message_headers_get_list(headers_of(self), name) != NULL;
}

const char *
http_caller_browser_mark(const HttpRequest *self)
{
    static const char *const marks[] = {
        "Origin", "Cookie", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-User",
    };
    SoupMessageHeadersIter iter;
    const char *name = NULL;
    const char *value = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (soup_message_headers_get_list(headers_of(self), marks[i]) != NULL)
            return marks[i];
    }
    soup_message_headers_iter_init(&iter, headers_of(self));
    while (soup_message_headers_iter_next(&iter, &name, &value)) {
        if (g_ascii_strncasecmp(name, "Sec-Fetch-", strlen("Sec-Fetch-")) == 0)
            return "Sec-Fetch-";
    }
    return NULL;
}

/* Calls `found` for each `name=value` of the query, decoded, until it returns true. */
static bool
walk_query(const HttpRequest *self,
           bool (*found)(const char *name, const char *value, void *user_data), void *user_data)
{
    const char *query = g_uri_get_query(soup_server_message_get_uri(http_request_message(self)));
    GUriParamsIter iter;
    bool is_found = false;

    if (query == NULL)
        return false;
    g_uri_params_iter_init(&iter, query, -1, "&", G_URI_PARAMS_NONE);
    while (!is_found) {
        g_autofree char *name = NULL;
        g_autofree char *value = NULL;
        g_autoptr(GError) fault = NULL;

        if (!g_uri_params_iter_next(&iter, &name, &value, &fault))
            return fault != NULL && found("?", "", user_data); /* can not be decoded */
        is_found = found(name, value, user_data);
    }
    return is_found;
}

typedef struct {
    const char *name;
    char *value;
} Search;

static bool
on_parameter(const char *name, const char *value, void *user_data)
{
    Search *search = user_data;

    if (strcmp(name, search->name) == 0)
        search->value = g_strdup(value);
    return search->value != NULL;
}

char *
http_caller_query(const HttpRequest *self, const char *name)
{
    Search search = {name, NULL};

    (void) walk_query(self, on_parameter, &search); /* the value says whether it was there */
    return search.value;
}

typedef struct {
    const char *const *known;
    GHashTable *seen;
    char *unknown;
} Inspection;

static bool
on_inspected(const char *name, const char *value, void *user_data)
{
    Inspection *inspection = user_data;

    if (!g_strv_contains(inspection->known, name) ||
        !g_hash_table_add(inspection->seen, g_strdup(name)))
        inspection->unknown = g_strdup(name);
    return inspection->unknown != NULL;
}

char *
http_caller_unknown_query(const HttpRequest *self, const char *const *known)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Inspection inspection = {known, seen, NULL};

    (void) walk_query(self, on_inspected, &inspection); /* as above */
    return inspection.unknown;
}

char *
http_caller_local_user(const HttpRequest *self)
{
    GSocket *socket = http_accept_socket(http_request_message(self));
    g_autoptr(GCredentials) credentials = NULL;
    g_autofree char *buffer = g_malloc(MAX_PASSWD_BYTES);
    struct passwd entry;
    struct passwd *found = NULL;
    uid_t uid = 0;

    if (socket == NULL || g_socket_get_family(socket) != G_SOCKET_FAMILY_UNIX)
        return NULL;
    credentials = g_socket_get_credentials(socket, NULL);
    uid = credentials == NULL ? (uid_t) -1 : g_credentials_get_unix_user(credentials, NULL);
    if (uid == (uid_t) -1 || getpwuid_r(uid, &entry, buffer, MAX_PASSWD_BYTES, &found) != 0 ||
        found == NULL)
        return NULL;
    return g_strdup(found->pw_name);
}

bool
http_caller_is_remote(const HttpRequest *self)
{
    GSocket *socket = http_accept_socket(http_request_message(self));

    return socket == NULL || g_socket_get_family(socket) != G_SOCKET_FAMILY_UNIX;
}

void
http_caller_answer_header(HttpRequest *self, const char *name, const char *value)
{
    soup_message_headers_replace(
        soup_server_message_get_response_headers(http_request_message(self)), name, value);
}
