#include "agent/trail/policy_shelf.h"

#include "storage/durable_file.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <sys/stat.h>

static bool
keep(const char *folder, const OrgSettings *org, GError **error)
{
    g_autofree char *path = g_build_filename(folder, org->id, NULL);
    g_autofree char *name = g_strdup_printf("policy-%s.conf", org->digest);
    g_auto(Fd) dir = -1;
    struct stat there;

    if (g_mkdir_with_parents(path, 0700) != 0)
        return storage_fail_errno(error, "create", path);
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return storage_fail_errno(error, "open", path);
    return fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 ||
           durable_file_create(dir, name, 0600, org->text, error);
}

bool
policy_shelf_keep(const char *folder, const GPtrArray *orgs, GError **error)
{
    for (guint i = 0; i < orgs->len; i++) {
        const OrgSettings *org = orgs->pdata[i];

        if (!keep(folder, org, error)) {
            g_prefix_error(error, "%s: the version of its settings is not kept: ", org->id);
            return false;
        }
    }
    return true;
}
