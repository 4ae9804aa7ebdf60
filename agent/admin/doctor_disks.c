#include "agent/admin/doctor_checks.h"
#include "agent/admin/terminal.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LITTLE_BYTES ((uint64_t) 1 << 30)
#define FUSE_MAGIC   0x65735546
#define CIFS_MAGIC   0xff534d42

/* Returns: what is wrong with keeping media on that kind of file system, static; NULL for nothing.
 */
static const char *
file_system_fault(const char *path)
{
    struct statfs found;

    if (statfs(path, &found) != 0)
        return NULL;
    /* The field is signed, and narrower on some machines. */
    switch ((uint32_t) found.f_type) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
        return "is memory (tmpfs), which a power cut empties";
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CIFS_MAGIC:
    case FUSE_MAGIC:
        return "is on a network or in user space, where a flush may promise too much";
    default:
        return NULL;
    }
}

static bool
check_space(const char *what, const char *path, DoctorReport *report)
{
    struct statvfs space;
    uint64_t n_free = 0;
    g_autofree char *text = NULL;

    if (statvfs(path, &space) != 0) {
        doctor_report_add(report, DOCTOR_FAILED, what, "%s: %s.", path, g_strerror(errno));
        return false;
    }
    n_free = (uint64_t) space.f_bavail * space.f_frsize;
    text = terminal_size_text(n_free);
    if (n_free < LITTLE_BYTES) {
        doctor_report_add(report, DOCTOR_WARNING, what, "%s has only %s free.", path, text);
        return false;
    }
    if (space.f_favail == 0 && space.f_files != 0) {
        doctor_report_add(report, DOCTOR_FAILED, what, "%s has no inode free.", path);
        return false;
    }
    doctor_report_add(report, DOCTOR_OK, what, "%s is writable and has %s free.", path, text);
    return true;
}

static void
check_folder(const char *what, const char *path, DoctorReport *report)
{
    const char *fault = file_system_fault(path);
    struct stat found;

    if (stat(path, &found) != 0) {
        doctor_report_add(report, DOCTOR_FAILED, what, "%s: %s.", path, g_strerror(errno));
        return;
    }
    if (!S_ISDIR(found.st_mode)) {
        doctor_report_add(report, DOCTOR_FAILED, what, "%s is not a folder.", path);
        return;
    }
    if (access(path, R_OK | W_OK | X_OK) != 0) {
        doctor_report_add(report, DOCTOR_FAILED, what, "%s is not writable for this user: %s.",
                          path, g_strerror(errno));
        return;
    }
    if (check_space(what, path, report) && fault != NULL)
        doctor_report_add(report, DOCTOR_WARNING, what, "%s %s.", path, fault);
}

static void
check_replicas(const GPtrArray *replicas, DoctorReport *report)
{
    for (guint i = 0; replicas != NULL && i < replicas->len; i++) {
        const StoreSettings *replica = replicas->pdata[i];
        g_autofree char *what = g_strconcat("replica ", replica->name, NULL);

        if (replica->type == STORE_TYPE_DIRECTORY)
            check_folder(what, replica->path, report);
    }
}

void
doctor_checks_disks(const Settings *settings, DoctorReport *report)
{
    struct stat spool, store;

    check_folder("spool", settings->spool_path, report);
    check_replicas(settings->store.replicas, report);
    if (settings->store.type != STORE_TYPE_DIRECTORY)
        return;
    check_folder("store", settings->store.path, report);
    if (stat(settings->spool_path, &spool) == 0 && stat(settings->store.path, &store) == 0 &&
        spool.st_dev == store.st_dev) {
        doctor_report_add(report, DOCTOR_OK, "disks",
                          "Spool and store share a file system: when it is full, both are.");
    }
}
