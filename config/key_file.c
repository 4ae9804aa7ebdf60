#include "config/key_file.h"

#include "config/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_KEY_BYTES ((off_t) 64 << 10)

static Secret *
fail(GError **error, ConfigError code, const char *path, const char *sentence)
{
    g_set_error(error, CONFIG_ERROR, code, "%s: %s", path, sentence);
    return NULL;
}

/* Fills the block from the file, straight into locked memory. Returns: bytes read; -1 sets errno.
 */
static ssize_t
read_all(int fd, Secret *block)
{
    size_t length = secret_length(block);
    size_t n_read = 0;

    while (n_read < length) {
        ssize_t n = read(fd, secret_bytes(block) + n_read, length - n_read);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        n_read += (size_t) n;
    }
    return (ssize_t) n_read;
}

static Secret *
read_secret(int fd, const char *path, GError **error)
{
    struct stat found;
    g_autoptr(Secret) block = NULL;
    ssize_t n_read = 0;

    if (fstat(fd, &found) != 0)
        return fail(error, CONFIG_ERROR_UNREADABLE, path, g_strerror(errno));
    if (!S_ISREG(found.st_mode))
        return fail(error, CONFIG_ERROR_UNREADABLE, path, "is not a file");
    if ((found.st_mode & 077) != 0) {
        return fail(error, CONFIG_ERROR_UNSAFE, path,
                    "group or others may use this secret key; `chmod 600` the file, and make a new "
                    "key if anyone did");
    }
    if (found.st_size == 0)
        return fail(error, CONFIG_ERROR_INVALID, path, "is empty");
    if (found.st_size > MAX_KEY_BYTES) {
        return fail(error, CONFIG_ERROR_INVALID, path,
                    "is longer than 64 KiB, which no key file is");
    }
    block = secret_new_zero((size_t) found.st_size, error);
    if (block == NULL)
        return NULL;
    n_read = read_all(fd, block);
    if (n_read < 0)
        return fail(error, CONFIG_ERROR_UNREADABLE, path, g_strerror(errno));
    if (n_read == 0)
        return fail(error, CONFIG_ERROR_INVALID, path, "is empty");
    secret_truncate(block, (size_t) n_read);
    return g_steal_pointer(&block);
}

Secret *
key_file_read_stream(int fd, const char *name, GError **error)
{
    g_autoptr(Secret) block = NULL;
    ssize_t n_read = 0;
    uint8_t more = 0;

    if (isatty(fd)) {
        return fail(error, CONFIG_ERROR_UNSAFE, name,
                    "is a terminal, which would show the secret key; pipe it in");
    }
    block = secret_new_zero((size_t) MAX_KEY_BYTES, error);
    if (block == NULL)
        return NULL;
    n_read = read_all(fd, block);
    if (n_read < 0)
        return fail(error, CONFIG_ERROR_UNREADABLE, name, g_strerror(errno));
    if (n_read == 0)
        return fail(error, CONFIG_ERROR_INVALID, name, "is empty");
    if (n_read == MAX_KEY_BYTES && read(fd, &more, 1) != 0) {
        return fail(error, CONFIG_ERROR_INVALID, name, "is longer than 64 KiB, which no key is");
    }
    secret_truncate(block, (size_t) n_read);
    return g_steal_pointer(&block);
}

char *
key_file_credential(const char *source)
{
    static const char prefix[] = "systemd:";
    const char *folder = g_getenv("CREDENTIALS_DIRECTORY");

    if (!g_str_has_prefix(source, prefix))
        return NULL;
    return g_build_filename(folder != NULL ? folder : "/run/credentials", source + strlen(prefix),
                            NULL);
}

Secret *
key_file_read(const char *path, GError **error)
{
    /* Non-blocking, so that a pipe with this name is refused instead of waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    Secret *secret = NULL;

    if (fd < 0)
        return fail(error, CONFIG_ERROR_UNREADABLE, path, g_strerror(errno));
    secret = read_secret(fd, path, error);
    (void) close(fd); /* only read from */
    return secret;
}
