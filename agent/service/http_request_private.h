#pragma once

#include "agent/service/http_service.h"

#include <libsoup/soup.h>

/* For the other kinds of answer in this folder: ends `self` and hands over its message, paused,
 * with no limit on how long the answer may take. Returns: owned. */
SoupServerMessage *http_request_take_message(HttpRequest *self);
