#include "tests/fakes/track_watch.h"

#include "tests/fakes/recorder_fixture.h"

#include <string.h>

json_t *
track_watch_member(const Session *session, const char *track, const char *name)
{
    json_t *tracks = recorder_fixture_member(session, "tracks");
    json_t *found = NULL;

    for (size_t i = 0; i < json_array_size(tracks); i++) {
        const json_t *row = json_array_get(tracks, i);

        if (strcmp(json_string_value(json_object_get(row, "id")), track) == 0)
            found = json_incref(json_object_get(row, name));
    }
    json_decref(tracks);
    return found;
}

json_int_t
track_watch_count(const Session *session, const char *track, const char *name)
{
    json_t *member = track_watch_member(session, track, name);
    const json_int_t number = json_integer_value(member);

    json_decref(member);
    return number;
}

typedef struct {
    const Session *session;
    const char *track, *name;
    json_int_t number;
} Count;

static bool
is_counted(void *data)
{
    const Count *wanted = data;

    return track_watch_count(wanted->session, wanted->track, wanted->name) == wanted->number;
}

void
track_watch_until(const Session *session, const char *track, const char *name, json_int_t number)
{
    recorder_fixture_until(is_counted, &(Count){session, track, name, number});
}

static bool
is_seen(void *data)
{
    static const char *const names[] = {"packets", "duplicate", "late", "paused"};
    const Count *wanted = data;
    json_int_t n_seen = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        n_seen += track_watch_count(wanted->session, wanted->track, names[i]);
    return n_seen == wanted->number;
}

void
track_watch_until_seen(const Session *session, const char *track, json_int_t n_packets)
{
    recorder_fixture_until(is_seen, &(Count){session, track, NULL, n_packets});
}

json_int_t
track_watch_send_until_paused(const Session *session, const char *track)
{
    json_int_t n_sent = 0;

    /* One more each time: those before it are duplicates if they were taken. */
    for (unsigned n = 1; track_watch_count(session, track, "paused") == 0; n++) {
        recorder_fixture_send((uint16_t) track_watch_count(session, track, "port"), n);
        n_sent += n;
        track_watch_until_seen(session, track, n_sent);
    }
    return n_sent;
}
