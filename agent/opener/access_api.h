#pragma once

#include "agent/opener/opener.h"
#include "agent/service/http_service.h"

/* The access API: what docs/access-api.md says, on `opener`, which is borrowed. Errors: as
 * http_service_new(). */
HttpService *access_api_new(Opener *opener, GError **error) G_GNUC_WARN_UNUSED_RESULT;
