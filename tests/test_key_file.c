#include "config/key_file.h"
#include "config/settings.h"
#include "crypto/crypto_error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder; /* of this run */

static char *
key_file(const char *name, const char *content, size_t n_bytes, mode_t mode)
{
    char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, content, (gssize) n_bytes, NULL));
    g_assert_cmpint(g_chmod(path, mode), ==, 0);
    return path;
}

static void
assert_refused(const char *path, ConfigError code, const char *sentence)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(key_file_read(path, &error));
    g_assert_error(error, CONFIG_ERROR, (int) code);
    g_assert_nonnull(strstr(error->message, sentence));
    g_assert_nonnull(strstr(error->message, path));
}

static void
test_reads_the_owners_file(void)
{
    static const mode_t modes[] = {0600, 0400, 0700};

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *path = key_file("good", "secret\n", 7, modes[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) secret = key_file_read(path, &error);

        g_assert_no_error(error);
        g_assert_cmpmem(secret_peek(secret), (int) secret_length(secret), "secret\n", 7);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
}

static void
test_refuses_a_file_that_others_may_use(void)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *path = key_file("open", "secret\n", 7, modes[i]);

        assert_refused(path, CONFIG_ERROR_UNSAFE, "chmod 600");
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
}

/* Returns: the end to read of a pipe that `n_bytes` of `text` are in, and nothing behind. */
static int
piped(const char *text, size_t n_bytes)
{
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    (void) fcntl(ends[1], F_SETPIPE_SZ, 1 << 17);
    g_assert_cmpint(write(ends[1], text, n_bytes), ==, (ssize_t) n_bytes);
    close(ends[1]);
    return ends[0];
}

static void
test_reads_what_is_piped_in(void)
{
    g_autofree char *text = g_strnfill(65537, 'x');
    const struct {
        size_t n_bytes;
        const char *refusal; /* NULL: none */
    } rows[] = {
        {1,     NULL                },
        {65536, NULL                },
        {0,     "is empty"          },
        {65537, "longer than 64 KiB"}
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const int fd = piped(text, rows[i].n_bytes);
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) secret = key_file_read_stream(fd, "standard input", &error);

        close(fd);
        if (rows[i].refusal == NULL) {
            g_assert_no_error(error);
            g_assert_cmpmem(secret_bytes(secret), (int) secret_length(secret), text,
                            (int) rows[i].n_bytes);
        } else {
            g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID);
            g_assert_nonnull(strstr(error->message, rows[i].refusal));
            g_assert_true(g_str_has_prefix(error->message, "standard input: "));
        }
    }
}

static void
test_refuses_a_terminal(void)
{
    const int fd = posix_openpt(O_RDWR | O_NOCTTY);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(fd, >=, 0);
    g_assert_null(key_file_read_stream(fd, "standard input", &error));
    g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_UNSAFE);
    close(fd);
}

static void
test_refuses_what_is_no_key_file(void)
{
    g_autofree char *giant_text = g_strnfill(65537, 'x');
    g_autofree char *giant = key_file("giant", giant_text, 65537, 0600);
    g_autofree char *largest = key_file("largest", giant_text, 65536, 0600);
    g_autofree char *empty = key_file("empty", "", 0, 0600);
    g_autofree char *missing = g_build_filename(folder, "missing", NULL);
    g_autofree char *pipe_path = g_build_filename(folder, "pipe", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) secret = key_file_read(largest, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(secret_length(secret), ==, 65536);
    g_assert_cmpint(mkfifo(pipe_path, 0600), ==, 0);
    assert_refused(giant, CONFIG_ERROR_INVALID, "longer than 64 KiB");
    assert_refused(empty, CONFIG_ERROR_INVALID, "is empty");
    assert_refused(missing, CONFIG_ERROR_UNREADABLE, "No such file");
    assert_refused(pipe_path, CONFIG_ERROR_UNREADABLE, "is not a file");
    assert_refused(folder, CONFIG_ERROR_UNREADABLE, "is not a file");
    (void) g_unlink(giant);
    (void) g_unlink(largest);
    (void) g_unlink(empty);
    (void) g_unlink(pipe_path);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    folder = g_dir_make_tmp("key-file-XXXXXX", NULL);
    g_test_add_func("/key-file/reads-the-owners-file", test_reads_the_owners_file);
    g_test_add_func("/key-file/refuses-a-file-that-others-may-use",
                    test_refuses_a_file_that_others_may_use);
    g_test_add_func("/key-file/reads-what-is-piped-in", test_reads_what_is_piped_in);
    g_test_add_func("/key-file/refuses-a-terminal", test_refuses_a_terminal);
    g_test_add_func("/key-file/refuses-what-is-no-key-file", test_refuses_what_is_no_key_file);
    status = g_test_run();
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_free(folder);
    return status;
}
