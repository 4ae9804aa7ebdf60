#include "agent/admin/offboard.h"

#include <glib.h>

bool
offboard_is_exported(const char *folder, const char *session)
{
    g_autofree char *path = g_build_filename(folder, session, OFFBOARD_COMPLETE, NULL);

    return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}
