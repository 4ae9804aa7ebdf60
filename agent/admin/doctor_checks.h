#pragma once

#include "agent/admin/doctor_report.h"
#include "config/settings.h"

/* What a recorder needs from its settings and its host, each adding its rows to the report. */
void doctor_checks_orgs(const Settings *settings, DoctorReport *report);

/* The keys with which the programs of this host sign, and whether the settings believe them. */
void doctor_checks_signers(const Settings *settings, DoctorReport *report);

/* Secret keys that lie where the recorder could read them. */
void doctor_checks_identities(const Settings *settings, DoctorReport *report);

/* Spool, and stores that are folders: there, writable, on what kind of disk, how much is free. */
void doctor_checks_disks(const Settings *settings, DoctorReport *report);

/* What each store elsewhere really does, asked by doing it: a row for each thing. Blocks. */
void doctor_checks_store(const Settings *settings, DoctorReport *report);

/* Whether the receiver of audit messages takes them, asked with an empty delivery. Blocks. */
void doctor_checks_syslog(const Settings *settings, DoctorReport *report);

/* What the kernel allows the sockets of all tracks: buffers, and how many may be open. */
void doctor_checks_sockets(const Settings *settings, DoctorReport *report);
void doctor_checks_network(const Settings *settings, DoctorReport *report);

/* The opener, where the settings have one: who reaches its socket, what its keys open, and the keys
 * of the issuers whose tokens it believes. Blocks. */
void doctor_checks_opener(const Settings *settings, DoctorReport *report);

/* Locked memory, GStreamer, the clock: nothing of the settings. */
void doctor_checks_host(DoctorReport *report);
