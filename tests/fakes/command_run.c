#include "tests/fakes/command_run.h"

#include <gio/gio.h>
#include <string.h>

static const char *program;
static const char *config_path;

void
command_run_use(const VisitFixture *visit)
{
    program = g_getenv("SEALTAPE_PROGRAM");
    g_assert_nonnull(program);
    config_path = visit->config_path;
}

CommandRun
command_run(const char *format, ...)
{
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *line = NULL;
    g_autofree char *whole = NULL;
    g_auto(GStrv) argv = NULL;
    CommandRun run = {0};
    va_list arguments;

    va_start(arguments, format);
    line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    whole = g_strdup_printf("%s --config %s %s", program, config_path, line);
    argv = g_strsplit(whole, " ", -1);
    process =
        g_subprocess_newv((const char *const *) argv,
                          G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &run.out, &run.err, &error));
    run.status = g_subprocess_get_exit_status(process);
    return run;
}

void
command_run_check(const CommandRun *self, int status, const char *said)
{
    if (self->status != status ||
        (strstr(self->out, said) == NULL && strstr(self->err, said) == NULL))
        g_error("exit %d instead of %d, or no `%s` in:\n%s\n%s", self->status, status, said,
                self->out, self->err);
}

json_t *
command_run_json(const CommandRun *self)
{
    json_error_t fault;
    json_t *json = json_loads(self->out, 0, &fault);

    if (json == NULL)
        g_error("not JSON: %s: %s", fault.text, self->out);
    return json;
}

void
command_run_clear(CommandRun *self)
{
    g_free(self->out);
    g_free(self->err);
}
