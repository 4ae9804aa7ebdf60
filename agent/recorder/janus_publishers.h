#pragma once

#include "agent/recorder/janus_forward.h"

#include <stdbool.h>

/* Who publishes in a room, whom of the session each is, and the forwards of their streams. Main
 * thread. */
typedef struct JanusPublishers JanusPublishers;

/* `room`: borrowed until janus_publishers_free(). */
JanusPublishers *janus_publishers_new(JanusRoom *room);

/* Takes Janus' list: of all (who is not in it has gone), or of those who are new or have changed.
 * Returns: false if it makes no sense; what does so is taken nevertheless. */
bool janus_publishers_take(JanusPublishers *self, const json_t *list, bool is_all);

/* One has gone; their tracks end. */
void janus_publishers_remove(JanusPublishers *self, const json_t *id);

/* The session changed, or Janus is there: forwards what can be, and ends what may not go on. */
void janus_publishers_update(JanusPublishers *self);

/* Begins those forwards anew, with new tracks, that Janus does not know any more (`listed`: its
 * answer to listforwarders, asked at `asked_us`). */
void janus_publishers_check(JanusPublishers *self, const json_t *listed, int64_t asked_us);

/* All have gone. */
void janus_publishers_clear(JanusPublishers *self);

/* Returns: the list of their published forms, owned. */
json_t *janus_publishers_to_json(const JanusPublishers *self);

void janus_publishers_free(JanusPublishers *self);
