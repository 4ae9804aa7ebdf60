#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What the VideoRoom says it forwards, in answer to listforwarders and to rtp_forward, however deep
 * it nests that; versions of the plugin differ there. */

/* `entry`: one forwarder, with its stream_id; `publisher`: whose it is; NULL: it does not say. */
typedef void (*JanusListingFunc)(const json_t *entry, const json_t *publisher, void *user_data);

/* Calls `each` for every forwarder in `listed`. */
void janus_listing_walk(const json_t *listed, JanusListingFunc each, void *user_data);

/* Returns: the stream_id of the forwarder that sends to `port`, borrowed; NULL: none does. */
json_t *janus_listing_stream_to(const json_t *listed, uint16_t port);

/* Whether `publisher`'s forwarder `stream_id` is in it. */
bool janus_listing_contains(const json_t *listed, const json_t *publisher, const json_t *stream_id);
