#include "config/org_settings.h"
#include "config/settings.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whatever an organisation's file says, the answer is rules or one sentence that names the file. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* As in fuzz_settings.c. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}

static char *folder;

static void
remove_folder(void)
{
    g_autofree char *path = g_build_filename(folder, "clinic-a.conf", NULL);

    (void) g_unlink(path); /* of a program that ends */
    (void) g_rmdir(folder);
    g_free(folder);
}

static void
look(const OrgSettings *org)
{
    g_assert_cmpstr(org->id, ==, "clinic-a");
    g_assert_cmpuint(org->recipients->len, >=, 2);
    g_assert_nonnull(org->consent->purposes);
    g_assert_nonnull(org->access);
    g_assert_cmpuint(strlen(org->digest), ==, 64);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    OrgSettings *org = NULL;

    if (folder == NULL) {
        folder = g_dir_make_tmp("fuzz-org-XXXXXX", NULL);
        g_assert_nonnull(folder);
        (void) atexit(remove_folder);
    }
    path = g_build_filename(folder, "clinic-a.conf", NULL);
    g_assert_true(g_file_set_contents(path, (const char *) data, (gssize) n_bytes, NULL));
    org = org_settings_load(path, &error);
    g_assert_true((org != NULL) != (error != NULL));
    if (org != NULL) {
        look(org);
    } else {
        g_assert_nonnull(strstr(error->message, "clinic-a.conf"));
    }
    org_settings_free(org);
    return 0;
}
