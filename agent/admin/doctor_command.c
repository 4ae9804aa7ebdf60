#include "agent/admin/commands.h"
#include "agent/admin/doctor_checks.h"
#include "agent/admin/recorder_client.h"

static void
check_recorder(CommandContext *context, const Settings *settings, DoctorReport *report)
{
    json_t *answer = recorder_client_get(context, "/healthz");

    if (answer != NULL) {
        doctor_report_add(report, DOCTOR_OK, "recorder", "It answers on %s.",
                          settings->socket_path);
    } else {
        doctor_report_add(report, DOCTOR_WARNING, "recorder",
                          "Nobody answers on %s; `sealtaped --config %s` starts it.",
                          settings->socket_path, settings->path);
    }
    json_decref(answer);
}

static void
examine(CommandContext *context, DoctorReport *report)
{
    g_autoptr(GError) error = NULL;
    const Settings *settings = command_context_settings(context, &error);

    if (settings == NULL) {
        doctor_report_add_error(report, "settings", error);
    } else {
        doctor_report_add(report, DOCTOR_OK, "settings", "%s is good, for %u organisation%s.",
                          settings->path, settings->orgs->len, settings->orgs->len == 1 ? "" : "s");
        doctor_checks_orgs(settings, report);
        doctor_checks_signers(settings, report);
        doctor_checks_identities(settings, report);
        doctor_checks_disks(settings, report);
        doctor_checks_store(settings, report);
        doctor_checks_syslog(settings, report);
        doctor_checks_network(settings, report);
        doctor_checks_sockets(settings, report);
        check_recorder(context, settings, report);
        doctor_checks_opener(settings, report);
    }
    doctor_checks_host(report);
}

int
doctor_command_run(CommandContext *context, int argc, char **argv)
{
    static const CommandSyntax syntax = {
        "doctor",
        "",
        "Checks everything a recorder and an opener need on this host. Exit code 1 if a check "
        "failed.",
        NULL,
        0,
        0};
    g_autoptr(DoctorReport) report = doctor_report_new();

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    examine(context, report);
    if (command_context_as_json(context)) {
        command_context_print_json(doctor_report_to_json(report));
    } else {
        doctor_report_print(report);
    }
    return doctor_report_worst(report) == DOCTOR_FAILED ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
