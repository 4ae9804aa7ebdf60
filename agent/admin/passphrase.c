#include "agent/admin/passphrase.h"

#include "agent/admin/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES     1024
#define DRAWN_GROUPS  6
#define DRAWN_LETTERS 5 /* in a group: 6 x 5 letters of 5 bits are 150 bits */
#define TERMINAL      "/dev/tty"

static bool
fail(GError **error, const char *sentence)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, sentence);
    return false;
}

static int
open_terminal(GError **error)
{
    const int fd = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        fail(error, "there is no terminal to ask for the passphrase on");
    return fd;
}

/* To a person; if the terminal is gone, reading from it fails next. */
static void
say(int fd, const char *text)
{
    (void) !write(fd, text, strlen(text));
}

/* Reads up to the end of the line, one byte at a time, so that no more is taken than belongs to it.
 */
static bool
read_line(int fd, Secret *line, GError **error)
{
    size_t n_bytes = 0;

    for (;;) {
        uint8_t *next = secret_bytes(line) + n_bytes;
        const ssize_t n_read = read(fd, next, 1);
        if (n_read < 0 && errno == EINTR)
            continue;
        if (n_read < 0 || (n_read == 0 && n_bytes == 0))
            return fail(error, "no passphrase was given");
        if (n_read == 0 || *next == '\n' || *next == '\r')
            break;
        if (++n_bytes == MAX_BYTES)
            return fail(error, "the passphrase is too long");
    }
    secret_truncate(line, n_bytes);
    return true;
}

/* Asks only once the terminal is silent: what is typed from then on counts. */
static Secret *
read_silently(int fd, const char *prompt, GError **error)
{
    g_autoptr(Secret) line = secret_new_zero(MAX_BYTES, error);
    struct termios before;
    struct termios silent;

    if (line == NULL)
        return NULL;
    if (tcgetattr(fd, &before) != 0) {
        fail(error, "the terminal can not be told to hide the passphrase");
        return NULL;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t) (ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON | ISIG;
    undo_restore_terminal(fd, &before);
    const bool is_silent = tcsetattr(fd, TCSAFLUSH, &silent) == 0;

    if (is_silent) {
        say(fd, prompt);
        say(fd, ": ");
    }
    const bool is_read = is_silent ? read_line(fd, line, error)
                                   : fail(error, "the terminal does not hide the passphrase");
    (void) tcsetattr(fd, TCSAFLUSH, &before); /* nothing better is left to do */
    undo_restore_terminal(-1, NULL);
    say(fd, "\n");
    return is_read ? g_steal_pointer(&line) : NULL;
}

static Secret *
ask(const char *prompt, GError **error)
{
    const int fd = open_terminal(error);

    if (fd < 0)
        return NULL;
    Secret *passphrase = read_silently(fd, prompt, error);
    (void) close(fd); /* nothing was buffered */
    return passphrase;
}

Secret *
passphrase_ask(const char *prompt, GError **error)
{
    g_autoptr(Secret) passphrase = ask(prompt, error);

    if (passphrase != NULL && secret_length(passphrase) == 0) {
        fail(error, "no passphrase was given");
        return NULL;
    }
    return g_steal_pointer(&passphrase);
}

/* Returns: letters and digits that are not easily mistaken for another, in groups. */
static Secret *
draw(GError **error)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32: no l, o, 0, 1 */
    const size_t n_bytes = DRAWN_GROUPS * (DRAWN_LETTERS + 1) - 1;
    Secret *drawn = secret_new_random(n_bytes, error);

    for (size_t i = 0; drawn != NULL && i < n_bytes; i++) {
        uint8_t *byte = secret_bytes(drawn) + i;
        *byte = (i + 1) % (DRAWN_LETTERS + 1) == 0 ? '-' : (uint8_t) letters[*byte % 32];
    }
    return drawn;
}

static Secret *
draw_and_show(GError **error)
{
    g_autoptr(Secret) drawn = draw(error);
    const int fd = drawn == NULL ? -1 : open_terminal(error);

    if (fd < 0)
        return NULL;
    say(fd, "Using the passphrase: ");
    (void) !write(fd, secret_peek(drawn), secret_length(drawn));
    say(fd, "\n");
    (void) close(fd); /* nothing was buffered */
    return g_steal_pointer(&drawn);
}

static bool
is_same(const Secret *a, const Secret *b)
{
    return secret_length(a) == secret_length(b) &&
           memcmp(secret_peek(a), secret_peek(b), secret_length(a)) == 0;
}

Secret *
passphrase_ask_for_file(const char *path, void *user_data, GError **error)
{
    g_autofree char *prompt = g_strdup_printf("Enter passphrase for identity file %s", path);

    return passphrase_ask(prompt, error);
}

Secret *
passphrase_ask_new(GError **error)
{
    g_autoptr(Secret) passphrase = ask("Enter passphrase (empty: draw a strong one)", error);

    if (passphrase == NULL)
        return NULL;
    if (secret_length(passphrase) == 0)
        return draw_and_show(error);
    g_autoptr(Secret) again = ask("Confirm passphrase", error);
    if (again == NULL)
        return NULL;
    if (!is_same(passphrase, again)) {
        fail(error, "the two passphrases differ");
        return NULL;
    }
    return g_steal_pointer(&passphrase);
}
