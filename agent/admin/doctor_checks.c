#include "agent/admin/doctor_checks.h"

#include "agent/media/media_format.h"
#include "config/key_file.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#define ENOUGH_LOCKED_BYTES (4 << 20)

void
doctor_checks_orgs(const Settings *settings, DoctorReport *report)
{
    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *org = settings->orgs->pdata[i];

        doctor_report_add(report, DOCTOR_OK, "recipients", "%s seals to %u different recipients.",
                          org->id, org->recipients->len);
        if (org->consent->purposes[0] == NULL) {
            doctor_report_add(report, DOCTOR_WARNING, "purposes",
                              "%s enables no purpose, so nothing of it is recorded.", org->id);
        }
    }
}

/* Whether this user can read the file and it holds an age identity. */
static bool
holds_identity(const char *path)
{
    static const char mark[] = "AGE-SECRET-KEY-1";
    g_autoptr(Secret) content = key_file_read(path, NULL);

    return content != NULL && g_strstr_len((const char *) secret_peek(content),
                                           (gssize) secret_length(content), mark) != NULL;
}

void
doctor_checks_identities(const Settings *settings, DoctorReport *report)
{
    g_autofree char *folder = g_path_get_dirname(settings->signing_key_path);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    unsigned n_found = 0;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (!holds_identity(path))
            continue;
        n_found++;
        doctor_report_add(
            report, DOCTOR_WARNING, "identities",
            "%s lies beside the recorder's key and opens recordings; move it to where "
            "they are opened, or offline.",
            path);
    }
    if (n_found == 0) {
        doctor_report_add(report, DOCTOR_OK, "identities",
                          "None lies beside the recorder's key in %s.", folder);
    }
}

static void
check_locked_memory(DoctorReport *report)
{
    struct rlimit limit = {0};

    /* The program has started, so its arena is locked; what is told is how much room is left for
     * more. */
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
        doctor_report_add(report, DOCTOR_FAILED, "locked memory", "getrlimit: %s.",
                          g_strerror(errno));
    } else if (limit.rlim_cur < ENOUGH_LOCKED_BYTES) {
        doctor_report_add(
            report, DOCTOR_WARNING, "locked memory",
            "Keys lie in locked memory, but the limit of %llu KiB (RLIMIT_MEMLOCK) is "
            "low; set LimitMEMLOCK=8M.",
            (unsigned long long) limit.rlim_cur / 1024);
    } else {
        doctor_report_add(report, DOCTOR_OK, "locked memory",
                          "Keys lie in locked memory that is never swapped or dumped.");
    }
}

static void
check_media(DoctorReport *report)
{
    g_autoptr(GError) error = NULL;

    if (media_start(&error)) {
        doctor_report_add(report, DOCTOR_OK, "media",
                          "GStreamer has every element that recording and recovery need.");
    } else {
        doctor_report_add_error(report, "media", error);
    }
}

static void
check_clock(DoctorReport *report)
{
    struct timex state = {0};
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();

    if (now == NULL || g_date_time_get_year(now) < 2026) {
        doctor_report_add(report, DOCTOR_FAILED, "clock",
                          "The clock is years behind, so consents and manifests would be wrong.");
    } else if (adjtimex(&state) == TIME_ERROR) {
        doctor_report_add(report, DOCTOR_WARNING, "clock",
                          "The kernel does not say that the clock is synchronised (NTP); consents "
                          "from the future are refused.");
    } else {
        doctor_report_add(report, DOCTOR_OK, "clock", "The clock is synchronised.");
    }
}

void
doctor_checks_host(DoctorReport *report)
{
    check_locked_memory(report);
    check_media(report);
    check_clock(report);
}

/* Whether the address is this host's: a socket can be bound to it. */
static bool
check_address(const Settings *settings, DoctorReport *report)
{
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new_from_string(settings->rtp_address, 0);
    g_autoptr(GSocket) probe =
        g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_DATAGRAM,
                     G_SOCKET_PROTOCOL_DEFAULT, NULL);

    if (probe != NULL && g_socket_bind(probe, address, FALSE, NULL))
        return true;
    doctor_report_add(report, DOCTOR_FAILED, "network",
                      "recorder.rtp.address: %s is no address of this host.",
                      settings->rtp_address);
    return false;
}

void
doctor_checks_network(const Settings *settings, DoctorReport *report)
{
    unsigned n_pairs = (settings->rtp_last_port - settings->rtp_first_port + 1U) / 2;

    if (!check_address(settings, report))
        return;
    if (n_pairs < settings->max_tracks) {
        doctor_report_add(report, DOCTOR_WARNING, "network",
                          "Ports %u to %u are enough for %u tracks, and max_tracks is %u.",
                          settings->rtp_first_port, settings->rtp_last_port, n_pairs,
                          settings->max_tracks);
    } else {
        doctor_report_add(report, DOCTOR_OK, "network",
                          "Media for %u tracks is taken at %s, ports %u to %u.", n_pairs,
                          settings->rtp_address, settings->rtp_first_port, settings->rtp_last_port);
    }
}
