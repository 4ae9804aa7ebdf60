#include "tests/fakes/scratch.h"

#include <glib/gstdio.h>

char *
scratch_new(const char *name)
{
    g_autofree char *pattern = g_strdup_printf("%s-XXXXXX", name);
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp(pattern, &error);

    g_assert_no_error(error);
    return folder;
}

static void
remove_tree(const char *path)
{
    GDir *entries = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);

    for (const char *name = entries == NULL ? NULL : g_dir_read_name(entries); name != NULL;
         name = g_dir_read_name(entries)) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        remove_tree(below);
    }
    g_clear_pointer(&entries, g_dir_close);
    (void) g_remove(path);
}

void
scratch_remove(char *folder)
{
    remove_tree(folder);
    g_free(folder);
}
