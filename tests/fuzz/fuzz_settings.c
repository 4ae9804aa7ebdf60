#include "agent/admin/time_text.h"
#include "config/settings.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whatever a settings file says, the answer is settings or one sentence; and whatever was typed for
 * a time is one or is not. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* libconfig 1.5 does not free a text that a syntax error follows: a few bytes, once, in programs
 * that then end. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}

static void
try_time(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    int64_t time_us = 0;

    if (time_text_parse(text, &time_us))
        g_assert_cmpint(time_us, >=, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    int fd = memfd_create("settings", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;

    g_assert_cmpint(write(fd, data, n_bytes), ==, (ssize_t) n_bytes);
    settings = settings_load(path, &error);
    g_assert_true((settings != NULL) != (error != NULL));
    g_assert_true(error == NULL || strlen(error->message) > 0);
    close(fd);
    try_time(data, MIN(n_bytes, 64));
    return 0;
}
