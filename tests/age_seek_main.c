#include "crypto/age_view.h"
#include "crypto/crypto_error.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes a part of an age file's plaintext, without reading what is before it:
 *   age_seek IDENTITY-FILE FILE OFFSET LENGTH */

static bool
read_at(void *file_data, uint64_t offset, uint8_t *buffer, size_t n_bytes, GError **error)
{
    const ssize_t n_read = pread(*(const int *) file_data, buffer, n_bytes, (off_t) offset);

    return n_read == (ssize_t) n_bytes ||
           crypto_fail(error, CRYPTO_ERROR_IO, "the file is shorter than it was");
}

static GPtrArray *
load_identities(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize n_text = 0;
    g_autoptr(Secret) secret = NULL;

    if (!g_file_get_contents(path, &text, &n_text, error))
        return NULL;
    secret = secret_new_zero(MAX(n_text, 1), error);
    if (secret == NULL)
        return NULL;
    for (gsize i = 0; i < n_text; i++)
        secret_bytes(secret)[i] = (uint8_t) text[i];
    return age_identity_parse_file(secret, error);
}

static bool
write_part(char **arguments, GError **error)
{
    g_autoptr(GPtrArray) identities = load_identities(arguments[0], error);
    int fd = open(arguments[1], O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (identities == NULL || fd < 0 || fstat(fd, &status) != 0)
        return false;
    const AgeViewFile file = {read_at, &fd, (uint64_t) status.st_size};
    g_autoptr(AgeView) view = age_view_new(identities, age_context_any(), &file, error);
    if (view == NULL)
        return false;
    const uint64_t offset = g_ascii_strtoull(arguments[2], NULL, 10);
    const size_t n_bytes = (size_t) g_ascii_strtoull(arguments[3], NULL, 10);
    g_autofree uint8_t *buffer = g_malloc(n_bytes + 1);
    return age_view_read(view, offset, buffer, n_bytes, error) &&
           fwrite(buffer, 1, n_bytes, stdout) == n_bytes;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc == 5 && crypto_start(&error) && write_part(argv + 1, &error))
        return 0;
    g_printerr("age_seek: %s\n", error == NULL ? "wrong usage" : error->message);
    return 1;
}
