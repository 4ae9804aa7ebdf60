#pragma once

#include "agent/admin/command_context.h"

/* `sealtape session fhir`: a document for the chart. */
int session_fhir_run(CommandContext *context, int argc, char **argv);
