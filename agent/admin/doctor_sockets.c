#include "agent/admin/doctor_checks.h"
#include "config/host_needs.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the kernel gives a socket of a program without privileges, as the recorder should be: how
 * many packets it holds while nobody takes them. -1: it can not be found out. */
static int
find_room(void)
{
    const int wanted = HOST_RECEIVE_BUFFER_BYTES;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int given = 0;
    socklen_t n_given = sizeof(given);

    if (fd < 0)
        return -1;
    const bool is_known = setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted)) == 0 &&
                          getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &given, &n_given) == 0;
    (void) close(fd); /* nothing was received or sent */
    return is_known ? given / HOST_COUNTED_PACKET_BYTES : -1;
}

static void
check_receive_buffer(DoctorReport *report)
{
    const int n_wanted = 2 * HOST_RECEIVE_BUFFER_BYTES / HOST_COUNTED_PACKET_BYTES;
    const int n_packets = find_room();

    if (n_packets < 0) {
        doctor_report_add(report, DOCTOR_FAILED, "receive buffer", "No UDP socket can be made: %s.",
                          g_strerror(errno));
    } else if (n_packets < n_wanted) {
        doctor_report_add(report, DOCTOR_WARNING, "receive buffer",
                          "The kernel holds %d packets for each socket, and drops more if the "
                          "recorder is kept from its work; set net.core.rmem_max=%d (sysctl) for "
                          "%d, and restart it.",
                          n_packets, HOST_RECEIVE_BUFFER_BYTES, n_wanted);
    } else {
        doctor_report_add(report, DOCTOR_OK, "receive buffer",
                          "The kernel holds %d packets for each socket.", n_packets);
    }
}

static void
check_files(const Settings *settings, DoctorReport *report)
{
    const unsigned n_files = settings->max_tracks * HOST_FILES_PER_TRACK + HOST_FILES_BESIDES;
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        doctor_report_add(report, DOCTOR_FAILED, "open files", "getrlimit: %s.", g_strerror(errno));
    } else if (limit.rlim_max < n_files) {
        doctor_report_add(report, DOCTOR_WARNING, "open files",
                          "%llu may be open here, and max_tracks = %u needs %u: a recorder started "
                          "with this limit (RLIMIT_NOFILE) refuses to; set LimitNOFILE=%u in its "
                          "unit.",
                          (unsigned long long) limit.rlim_max, settings->max_tracks, n_files,
                          n_files);
    } else {
        doctor_report_add(report, DOCTOR_OK, "open files",
                          "The limit is enough for the %u that max_tracks = %u needs.", n_files,
                          settings->max_tracks);
    }
}

void
doctor_checks_sockets(const Settings *settings, DoctorReport *report)
{
    check_receive_buffer(report);
    check_files(settings, report);
}
