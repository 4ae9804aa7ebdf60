#pragma once

#include "agent/service/http_service.h"

#include <libsoup/soup.h>

/* For the other files of this folder. Returns: each borrowed. */
SoupServerMessage *http_request_message(const HttpRequest *self);
SoupServer *http_service_server(const HttpService *self);

/* For the other kinds of answer: ends `self` and hands over its message, paused, with no limit on
 * how long the answer may take. Returns: owned. */
SoupServerMessage *http_request_take_message(HttpRequest *self);
