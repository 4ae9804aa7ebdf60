#pragma once

#include "agent/opener/opener.h"
#include "agent/service/http_service.h"

/* The routes of what waits for a review; `user_data` is the Opener. For auditors. */
void review_api_list(HttpRequest *request, void *user_data);
void review_api_close(HttpRequest *request, void *user_data);
