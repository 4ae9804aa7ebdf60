#include "agent/admin/recorder_client.h"

#include "agent/service/http_client.h"

json_t *
recorder_client_get(CommandContext *context, const char *path)
{
    const Settings *settings = command_context_settings(context, NULL);
    g_autofree char *request = NULL;
    unsigned status = 0;
    json_t *answer = NULL;

    if (settings == NULL)
        return NULL;
    request = g_strconcat("GET ", path, NULL);
    answer = http_client_request(settings->socket_path, request, NULL, &status, NULL);
    if (answer != NULL && status != 200) {
        g_clear_pointer(&answer, json_decref);
    }
    return answer;
}
