#include "agent/playback/token_identity.h"

#include "config/key_file.h"
#include "crypto/age_p256tag.h"
#include "crypto/crypto_error.h"
#include "crypto/p256_point.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER "sealtape-keyhelper"
#define ENDED  "the helper that talks to the token has ended"
#define FORM   "pkcs11:token=LABEL;object=LABEL?pin-source=FILE, and where wanted &module-path=FILE"

enum {
    POINT_BYTES = 65,
    SHARED_BYTES = 32,
    ANSWER_MS = 10000,
    END_MS = 200,
    WRONG_PIN = 3,
    MOST_PIN_BYTES = 255,
    MOST_LINE = 512
};

typedef struct {
    char *arguments[5]; /* the helper, module, token, object */
    char *pin_path;
    GMutex lock;
    struct {
        GPid pid; /* 0: none runs */
        int to, from;
        uint8_t point[POINT_BYTES];
        char *refusal; /* a wrong PIN: nothing is tried again */
    } locked;
} Token;

/* Ends the helper. Returns: its exit status; -1 for none. */
static int
stop_locked(Token *self)
{
    struct pollfd what = {.fd = self->locked.from}; /* asks for nothing but the end */
    int status = 0;

    if (self->locked.pid == 0)
        return -1;
    (void) close(self->locked.to);
    /* One that has said its last word ends by itself, which closes its side; any other hangs. */
    if (poll(&what, 1, END_MS) <= 0)
        (void) kill(self->locked.pid, SIGKILL);
    (void) waitpid(self->locked.pid, &status, 0);
    (void) close(self->locked.from);
    self->locked.pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
token_free(gpointer data)
{
    Token *self = data;

    (void) stop_locked(self); /* nobody else has it any more */
    for (size_t i = 0; i < G_N_ELEMENTS(self->arguments); i++)
        g_free(self->arguments[i]);
    g_free(self->pin_path);
    g_free(self->locked.refusal);
    g_mutex_clear(&self->lock);
    g_free(self);
}

/* Reads exactly `n_bytes`, or as far as it goes until `until_us`. Returns: how many. */
static size_t
read_until(int file, uint8_t *bytes, size_t n_bytes, gint64 until_us)
{
    size_t n_done = 0;

    while (n_done < n_bytes) {
        struct pollfd what = {.fd = file, .events = POLLIN};
        const gint64 left_us = until_us - g_get_monotonic_time();
        ssize_t n_read = 0;

        if (left_us <= 0)
            break;
        if (poll(&what, 1, (int) (left_us / 1000) + 1) <= 0)
            continue; /* interrupted, or too late */
        n_read = read(file, bytes + n_done, n_bytes - n_done);
        if (n_read == 0 || (n_read < 0 && errno != EINTR))
            break;
        n_done += (size_t) MAX(n_read, 0);
    }
    return n_done;
}

/* Reads the helper's sentence, and sets `error` to it. */
static void
read_complaint(int file, gint64 until_us, GError **error)
{
    char line[MOST_LINE] = {0};
    size_t n_line = 0;

    while (n_line < sizeof(line) - 1 &&
           read_until(file, (uint8_t *) line + n_line, 1, until_us) == 1 && line[n_line] != '\n')
        n_line++;
    line[n_line] = '\0';
    crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s", line);
}

/* Waits for an answer of this kind. */
static bool
read_answer_locked(Token *self, char kind, uint8_t *bytes, size_t n_bytes, GError **error)
{
    const gint64 until_us = g_get_monotonic_time() + ANSWER_MS * G_TIME_SPAN_MILLISECOND;
    uint8_t got = 0;

    if (read_until(self->locked.from, &got, 1, until_us) == 1 && got == '-') {
        read_complaint(self->locked.from, until_us, error);
        return false;
    }
    if (got == (uint8_t) kind && read_until(self->locked.from, bytes, n_bytes, until_us) == n_bytes)
        return true;
    return crypto_fail(error, CRYPTO_ERROR_TOKEN,
                       g_get_monotonic_time() >= until_us
                           ? "the token does not answer; its helper was ended"
                           : ENDED);
}

/* Hands over what lies in the PIN's file, without the newline behind it. */
static bool
send_pin_locked(Token *self, GError **error)
{
    g_autoptr(Secret) pin = key_file_read(self->pin_path, error);
    size_t n_pin = pin != NULL ? secret_length(pin) : 0;
    uint8_t length = 0;

    if (pin == NULL)
        return false;
    while (n_pin > 0 && strchr("\r\n", secret_peek(pin)[n_pin - 1]) != NULL)
        n_pin--;
    if (n_pin == 0 || n_pin > MOST_PIN_BYTES) {
        return crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s: a PIN has 1 to %d characters",
                           self->pin_path, MOST_PIN_BYTES);
    }
    length = (uint8_t) n_pin;
    if (write(self->locked.to, &length, 1) != 1 ||
        write(self->locked.to, secret_peek(pin), n_pin) != (ssize_t) n_pin)
        return crypto_fail(error, CRYPTO_ERROR_TOKEN, ENDED);
    return true;
}

/* A PIN that was wrong is not tried again. */
static bool
start_locked(Token *self, GError **error)
{
    g_autoptr(GError) fault = NULL;

    if (self->locked.refusal != NULL)
        return crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s", self->locked.refusal);
    if (self->locked.pid != 0)
        return true;
    if (!g_spawn_async_with_pipes(
            NULL, self->arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, NULL,
            NULL, &self->locked.pid, &self->locked.to, &self->locked.from, NULL, &fault)) {
        self->locked.pid = 0;
        return crypto_fail(error, CRYPTO_ERROR_TOKEN, "%s can not be started: %s",
                           self->arguments[0], fault->message);
    }
    if (send_pin_locked(self, &fault) &&
        read_answer_locked(self, '+', self->locked.point, POINT_BYTES, &fault))
        return true;
    if (stop_locked(self) == WRONG_PIN)
        self->locked.refusal = g_strdup(fault->message);
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

/* An AgeTokenAgree. */
static Secret *
on_agree(void *token, const uint8_t *point, GError **error)
{
    Token *self = token;
    g_autoptr(Secret) shared = secret_new_zero(SHARED_BYTES, error);
    bool is_done = false;

    g_mutex_lock(&self->lock);
    if (shared != NULL && start_locked(self, error)) {
        if (write(self->locked.to, point, POINT_BYTES) != POINT_BYTES) {
            crypto_fail(error, CRYPTO_ERROR_TOKEN, ENDED);
        } else {
            is_done = read_answer_locked(self, '=', secret_bytes(shared), SHARED_BYTES, error);
        }
        if (!is_done)
            (void) stop_locked(self); /* the next question starts a new one */
    }
    g_mutex_unlock(&self->lock);
    return is_done ? g_steal_pointer(&shared) : NULL;
}

/* Returns: the value of `name` in the URI, unescaped, owned; NULL if it is not there. */
static char *
attribute(const char *uri, const char *name)
{
    g_auto(GStrv) pieces = g_strsplit_set(uri + strlen(TOKEN_IDENTITY_PREFIX), ";?&", -1);
    g_autofree char *prefix = g_strconcat(name, "=", NULL);

    for (char **piece = pieces; *piece != NULL; piece++) {
        if (g_str_has_prefix(*piece, prefix))
            return g_uri_unescape_string(*piece + strlen(prefix), NULL);
    }
    return NULL;
}

/* Beside this program, as in a build's folder, or where it is installed. Returns: owned. */
static char *
find_helper(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self != NULL ? g_path_get_dirname(self) : g_strdup("/");
    g_autofree char *beside = g_build_filename(folder, HELPER, NULL);

    if (g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer(&beside);
    return g_build_filename(SEALTAPE_LIBEXECDIR, HELPER, NULL);
}

/* A path, as it is or as a `file:` URI, or a credential of the unit's. Takes `source`. Returns:
 * owned; NULL for none of these. */
static char *
resolve_pin(char *source)
{
    g_autofree char *owned = source;
    char *credential = key_file_credential(source);

    if (credential != NULL)
        return credential;
    if (g_str_has_prefix(source, "file:"))
        return g_filename_from_uri(source, NULL, NULL);
    return *source == '/' ? g_steal_pointer(&owned) : NULL;
}

static bool
is_module(const char *path)
{
    return *path == '\0' || *path == '/';
}

static bool
read_uri(Token *self, const char *uri, GError **error)
{
    static const char *const names[] = {"token", "object", "pin-source"};
    char *values[G_N_ELEMENTS(names)] = {NULL};
    g_autofree char *pin = attribute(uri, "pin-value");

    if (pin != NULL) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "a PIN does not belong into a pkcs11: URI, which everybody can read: "
                           "put it into a file and name that as pin-source");
    }
    self->arguments[0] = find_helper();
    self->arguments[1] = attribute(uri, "module-path");
    if (self->arguments[1] == NULL)
        self->arguments[1] = g_strdup(""); /* those that p11-kit knows */
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        values[i] = attribute(uri, names[i]);
        if (values[i] == NULL || *values[i] == '\0') {
            return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "%s: names no %s; it is " FORM, uri,
                               names[i]);
        }
        if (i < 2) {
            self->arguments[i + 2] = values[i];
        } else {
            self->pin_path = resolve_pin(values[i]);
        }
    }
    if (self->pin_path == NULL || !is_module(self->arguments[1])) {
        return crypto_fail(error, CRYPTO_ERROR_MALFORMED,
                           "%s: %s is no absolute path%s; it is " FORM, uri,
                           self->pin_path == NULL ? "pin-source" : "module-path",
                           self->pin_path == NULL ? ", nor systemd:NAME" : "");
    }
    return true;
}

AgeIdentity *
token_identity_open(const char *uri, GError **error)
{
    Token *self = g_new0(Token, 1);
    g_autofree char *recipient = NULL;

    g_mutex_init(&self->lock);
    /* A helper that has died is an error of the question, not the end of who asks. */
    (void) signal(SIGPIPE, SIG_IGN);
    if (!read_uri(self, uri, error) || !start_locked(self, error)) { /* nobody else has it yet */
        token_free(self);
        return NULL;
    }
    if (!p256_point_is_valid(self->locked.point)) {
        token_free(self);
        crypto_fail(error, CRYPTO_ERROR_TOKEN,
                    "the token gives no point of P-256 for its public key");
        return NULL;
    }
    recipient = age_p256tag_recipient_text(self->locked.point);
    return age_p256tag_identity(recipient, on_agree, self, token_free, error);
}
