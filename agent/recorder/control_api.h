#pragma once

#include "agent/recorder/recorder.h"
#include "agent/service/http_service.h"

#include <glib.h>

/* The recorder's control API, docs/control-api.md and docs/control-api.yaml: the routes, and
 * nothing but translation between HTTP and the recorder. Main thread. */

/* Serves on the configured socket. `recorder`: borrowed until http_service_free().
 * Errors: as http_service_new(). */
HttpService *control_api_new(Recorder *recorder, const char *socket_path,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
