#include "agent/playback/transit_client.h"

#include "agent/playback/transit_identity.h"
#include "config/key_file.h"
#include "crypto/base64.h"
#include "crypto/crypto_error.h"
#include "storage/http_client.h"

#include <gio/gio.h>
#include <string.h>

#define FORM                                                                                       \
    "transit:https://HOST/MOUNT/KEY?token-source=FILE, and where wanted &ca-file=FILE and "        \
    "&namespace=NAME"

enum { ANSWER_MS = 10000, MOST_ANSWER = 256 << 10, MOST_PLAIN = 64, MOST_TOKEN = 4096 };

struct TransitClient {
    HttpClient *http;
    char *base, *mount, *key; /* https://HOST:PORT */
    char *token_path, *ca_file, *namespace;
    char *name;
};

static void
on_clear(void *data)
{
    TransitClient *self = data;

    http_client_free(self->http);
    g_free(self->base);
    g_free(self->mount);
    g_free(self->key);
    g_free(self->token_path);
    g_free(self->ca_file);
    g_free(self->namespace);
    g_free(self->name);
}

/* What may stand in a mount's and a key's name, so that nothing has to be escaped. */
static bool
is_path(const char *text)
{
    return *text != '\0' && strstr(text, "..") == NULL &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-/") == strlen(text);
}

/* Splits `/MOUNT/KEY`. */
static bool
read_path(TransitClient *self, const char *path)
{
    const char *last = strrchr(path, '/');

    if (*path != '/' || last == path || last[1] == '\0' || !is_path(path))
        return false;
    self->mount = g_strndup(path + 1, (size_t) (last - path - 1));
    self->key = g_strdup(last + 1);
    return true;
}

/* Returns: what is wrong; NULL with the values set. */
static const char *
read_query(TransitClient *self, const char *query)
{
    g_autoptr(GHashTable) values =
        query != NULL ? g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
    const char *token = values != NULL ? g_hash_table_lookup(values, "token-source") : NULL;

    if (token == NULL)
        return "it names no token-source";
    self->token_path = key_file_credential(token);
    if (self->token_path == NULL)
        self->token_path = g_strdup(token);
    self->ca_file = g_strdup(g_hash_table_lookup(values, "ca-file"));
    self->namespace = g_strdup(g_hash_table_lookup(values, "namespace"));
    if (*self->token_path != '/' || (self->ca_file != NULL && *self->ca_file != '/'))
        return "token-source and ca-file are absolute paths, or token-source is systemd:NAME";
    if (self->namespace != NULL && !is_path(self->namespace))
        return "its namespace has a character that none has";
    if (g_hash_table_size(values) !=
        1U + (self->ca_file != NULL ? 1 : 0) + (self->namespace != NULL ? 1 : 0))
        return "it says something that is not known";
    return NULL;
}

/* Returns: what is wrong (static); NULL with `self` set. */
static const char *
read_uri(TransitClient *self, const char *text)
{
    g_autoptr(GUri) uri =
        g_uri_parse(text + strlen(TRANSIT_IDENTITY_PREFIX), G_URI_FLAGS_NONE, NULL);
    g_autofree char *port = NULL;

    if (uri == NULL || g_uri_get_host(uri) == NULL || *g_uri_get_host(uri) == '\0')
        return "it is no URL";
    if (strcmp(g_uri_get_scheme(uri), "https") != 0)
        return "it does not begin with https://, and nothing else keeps the key secret on its way";
    if (g_uri_get_userinfo(uri) != NULL || g_uri_get_fragment(uri) != NULL)
        return "it says something that is not known";
    if (!read_path(self, g_uri_get_path(uri)))
        return "it names no mount and key";
    port = g_uri_get_port(uri) > 0 ? g_strdup_printf(":%d", g_uri_get_port(uri)) : g_strdup("");
    self->base = g_strdup_printf(strchr(g_uri_get_host(uri), ':') != NULL ? "https://[%s]%s"
                                                                          : "https://%s%s",
                                 g_uri_get_host(uri), port);
    return read_query(self, g_uri_get_query(uri));
}

TransitClient *
transit_client_new(const char *uri, GError **error)
{
    g_autoptr(TransitClient) self = g_atomic_rc_box_new0(TransitClient);
    const char *fault = read_uri(self, uri);
    HttpClientOptions options = {0};

    if (fault != NULL) {
        crypto_fail(error, CRYPTO_ERROR_MALFORMED, "%s: %s; it is " FORM, uri, fault);
        return NULL;
    }
    options.ca_file = self->ca_file;
    self->http = http_client_new(&options);
    self->name = g_strdup_printf("%s, key `%s`", self->base, self->key);
    return g_steal_pointer(&self);
}

const char *
transit_client_name(const TransitClient *self)
{
    return self->name;
}

TransitClient *
transit_client_ref(TransitClient *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
transit_client_unref(TransitClient *self)
{
    g_atomic_rc_box_release_full(self, on_clear);
}

static void
wipe(void *bytes, size_t n_bytes)
{
    if (bytes != NULL)
        explicit_bzero(bytes, n_bytes);
}

/* Returns: the header that says who asks, owned, to be wiped; NULL sets `error`. */
static char *
token_header(const TransitClient *self, GError **error)
{
    g_autoptr(Secret) token = key_file_read(self->token_path, error);
    size_t n_token = token != NULL ? secret_length(token) : 0;

    if (token == NULL)
        return NULL;
    while (n_token > 0 && g_ascii_isspace(secret_peek(token)[n_token - 1]))
        n_token--;
    for (size_t i = 0; i < n_token; i++) {
        if (!g_ascii_isgraph(secret_peek(token)[i]))
            n_token = 0;
    }
    if (n_token == 0 || n_token > MOST_TOKEN) {
        crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s holds no token of a vault's: one word",
                    self->token_path);
        return NULL;
    }
    return g_strdup_printf("X-Vault-Token: %.*s", (int) n_token, (const char *) secret_peek(token));
}

/* What an answer means that is none. Returns: static; NULL for one that means nothing of itself. */
static const char *
meaning_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *meaning;
    } rows[] = {
        {403, "the token is refused: it has expired, or its policy does not let it do this"},
        {404, "there is no such key, or no Transit engine at this mount"                   },
        {412, "this node is behind the others: try again"                                  },
        {429, "it is asked too often: its rate limit refuses more for now"                 },
        {472, "this is a node for disaster recovery, which answers nothing"                },
        {473, "this is a standby node for performance, which has to be told of the other"  },
        {503, "the vault is sealed, or down for maintenance: somebody has to unseal it"    },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].status == status)
            return rows[i].meaning;
    }
    if (status >= 300 && status < 400)
        return "it points to another node: name the active one, or a balancer before them";
    return status >= 500 ? "the vault failed" : NULL;
}

static HttpResponse *
send_request(TransitClient *self, const HttpRequest *plan, char *token, GError **error)
{
    g_autofree char *namespace =
        self->namespace != NULL ? g_strconcat("X-Vault-Namespace: ", self->namespace, NULL) : NULL;
    const char *const headers[] = {token, "X-Vault-Request: true", "Content-Type: application/json",
                                   namespace, NULL};
    g_autoptr(GError) fault = NULL;
    HttpRequest request = *plan;
    HttpResponse *response = NULL;

    request.headers = headers;
    request.max_response_bytes = MOST_ANSWER;
    request.timeout_ms = ANSWER_MS;
    response = http_client_send(self->http, &request, &fault);
    if (response == NULL)
        crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s: %s", self->name, fault->message);
    return response;
}

/* Asks. Returns: what was answered with 200, 204 or 400, parsed, owned; `status` says which. */
static json_t *
ask(TransitClient *self, const HttpRequest *plan, unsigned *status, GError **error)
{
    char *token = token_header(self, error);
    g_autoptr(HttpResponse) response =
        token != NULL ? send_request(self, plan, token, error) : NULL;
    json_t *answer = NULL;
    size_t n_body = 0;
    void *body = NULL;

    wipe(token, token != NULL ? strlen(token) : 0);
    g_free(token);
    if (response == NULL)
        return NULL;
    *status = response->status;
    /* It may hold what was opened: nothing of it stays. */
    body = g_bytes_unref_to_data(g_steal_pointer(&response->body), &n_body);
    if (*status == 200 || *status == 400)
        answer = json_loadb(body, n_body, JSON_REJECT_DUPLICATES, NULL);
    wipe(body, n_body);
    g_free(body);
    if (answer == NULL) {
        const char *meaning = meaning_of(*status);

        crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s: %s (status %u)", self->name,
                    meaning != NULL ? meaning : "what it answers is none of a vault's", *status);
    }
    return answer;
}

static bool
fail_answer(const TransitClient *self, const char *what, GError **error)
{
    return crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s: %s", self->name, what);
}

json_t *
transit_client_read_key(TransitClient *self, GError **error)
{
    g_autofree char *url = g_strdup_printf("%s/v1/%s/keys/%s", self->base, self->mount, self->key);
    const HttpRequest request = {.method = "GET", .url = url};
    unsigned status = 0;
    json_t *answer = ask(self, &request, &status, error);
    json_t *data = answer != NULL ? json_incref(json_object_get(answer, "data")) : NULL;

    if (answer != NULL && (status != 200 || !json_is_object(data))) {
        json_decref(data);
        data = NULL;
        fail_answer(self, "what it answers is no key of a Transit engine's", error);
    }
    json_decref(answer);
    return data;
}

/* Reads `data.plaintext` into locked memory. */
static Secret *
read_plain(const TransitClient *self, const json_t *answer, GError **error)
{
    const json_t *text = json_object_get(json_object_get(answer, "data"), "plaintext");
    g_autoptr(Secret) plain = secret_new_zero(MOST_PLAIN, error);
    size_t n_plain = 0;

    if (plain == NULL)
        return NULL;
    if (!json_is_string(text) ||
        !base64_decode_padded(json_string_value(text), json_string_length(text),
                              secret_bytes(plain), MOST_PLAIN, &n_plain) ||
        n_plain == 0) {
        fail_answer(self, "what it answers holds no plaintext", error);
        return NULL;
    }
    secret_truncate(plain, n_plain);
    wipe((char *) json_string_value(text), json_string_length(text));
    return g_steal_pointer(&plain);
}

/* A vault answers 400 to what it can not open, and to two things that are no fault of that. */
static bool
explain_refusal(const TransitClient *self, const json_t *answer, GError **error)
{
    const char *said = json_string_value(json_array_get(json_object_get(answer, "errors"), 0));

    if (said == NULL) {
        return fail_answer(self, "what it answers is none of a vault's (status 400)", error);
    }
    if (strstr(said, "disallowed by policy") != NULL) {
        return fail_answer(self, "this version of the key is older than min_decryption_version",
                           error);
    }
    if (strstr(said, "key not found") != NULL)
        return fail_answer(self, meaning_of(404), error);
    return true;
}

bool
transit_client_decrypt(TransitClient *self, const char *ciphertext, Secret **plain, GError **error)
{
    g_autofree char *url =
        g_strdup_printf("%s/v1/%s/decrypt/%s", self->base, self->mount, self->key);
    g_autofree char *text = g_strdup_printf("{\"ciphertext\":\"%s\"}", ciphertext);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    const HttpRequest request = {.method = "POST", .url = url, .body = body};
    unsigned status = 0;
    json_t *answer = ask(self, &request, &status, error);
    bool is_answered = false;

    if (answer != NULL && status == 400) {
        is_answered = explain_refusal(self, answer, error);
    } else if (answer != NULL) {
        *plain = read_plain(self, answer, error);
        is_answered = *plain != NULL;
    }
    json_decref(answer);
    return is_answered;
}
