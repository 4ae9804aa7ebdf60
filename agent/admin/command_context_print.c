#include "agent/admin/command_context.h"

#include <stdlib.h>

void
command_context_print_json(json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2));

    g_assert(text != NULL);
    g_print("%s\n", text);
    free(text);
    json_decref(json);
}

int
command_context_fail(CommandContext *self, GError *error)
{
    g_printerr("sealtape: %s\n", error->message);
    g_error_free(error);
    return EXIT_CODE_FAILED;
}
