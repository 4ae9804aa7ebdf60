#pragma once

#include "agent/recorder/participant.h"
#include "agent/recorder/participants.h"

/* What the files of the participants share; nobody else includes this. */

struct Participants {
    GPtrArray *present; /* Participant */
    GPtrArray *left;    /* Participant: not asked for consent any more */
};

/* Returns: who is present under `id`, borrowed; NULL: nobody. */
Participant *participants_find(const Participants *self, const char *id);
