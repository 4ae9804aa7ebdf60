#pragma once

#include "tests/fakes/visit_fixture.h"

#include <glib.h>
#include <jansson.h>

/* `sealtape` itself, run as a person would run it. */
typedef struct {
    int status;
    char *out;
    char *err;
} CommandRun;

/* Runs the program that SEALTAPE_PROGRAM names over this installation (borrowed, for all that
 * follows). `format`: what stands behind `--config FILE`, split at spaces. */
void command_run_use(const VisitFixture *visit);
CommandRun command_run(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Fails the test unless it ended with `status` and said `said` on standard output or standard
 * error. */
void command_run_check(const CommandRun *self, int status, const char *said);

/* Returns: standard output as JSON, owned. */
json_t *command_run_json(const CommandRun *self);

void command_run_clear(CommandRun *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CommandRun, command_run_clear)
