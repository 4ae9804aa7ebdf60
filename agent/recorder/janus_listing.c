#include "agent/recorder/janus_listing.h"

/* Bounded: JSON that jansson parses nests at most 2048 deep. */
static void
walk(const json_t *node, const json_t *publisher, JanusListingFunc each, void *user_data)
{
    const json_t *own = json_object_get(node, "publisher_id");
    const char *name = NULL;
    json_t *member = NULL;

    if (own != NULL)
        publisher = own;
    if (json_object_get(node, "stream_id") != NULL)
        each(node, publisher, user_data);
    json_object_foreach((json_t *) node, name, member)
    {
        for (size_t i = 0; json_is_array(member) && i < json_array_size(member); i++) {
            if (json_is_object(json_array_get(member, i)))
                walk(json_array_get(member, i), publisher, each, user_data);
        }
    }
}

void
janus_listing_walk(const json_t *listed, JanusListingFunc each, void *user_data)
{
    walk(listed, NULL, each, user_data);
}

typedef struct {
    uint16_t port;
    json_t *stream_id;
} PortSearch;

static void
look_for_port(const json_t *entry, const json_t *publisher, void *user_data)
{
    PortSearch *search = user_data;

    if (json_integer_value(json_object_get(entry, "port")) == search->port)
        search->stream_id = json_object_get(entry, "stream_id");
}

json_t *
janus_listing_stream_to(const json_t *listed, uint16_t port)
{
    PortSearch search = {port, NULL};

    walk(listed, NULL, look_for_port, &search);
    return search.stream_id;
}

typedef struct {
    const json_t *publisher, *stream_id;
    bool is_there;
} StreamSearch;

static void
look_for_stream(const json_t *entry, const json_t *publisher, void *user_data)
{
    StreamSearch *search = user_data;

    if (json_equal(publisher, search->publisher) &&
        json_equal(json_object_get(entry, "stream_id"), search->stream_id))
        search->is_there = true;
}

bool
janus_listing_contains(const json_t *listed, const json_t *publisher, const json_t *stream_id)
{
    StreamSearch search = {publisher, stream_id, false};

    walk(listed, NULL, look_for_stream, &search);
    return search.is_there;
}
