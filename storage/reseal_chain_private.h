#pragma once

#include "storage/reseal_chain.h"

/* What reading the notes and applying them share. */
struct ResealChain {
    char *org, *session;
    GPtrArray *notes;     /* ResealNote */
    GHashTable *replaced; /* names of objects that were, within the session */
    GHashTable *named; /* names of what is beside the media now -> ResealPast; a statement: NULL */
    GHashTable *origins; /* segment, as text -> Digest: what its recorder signed */
    Digest last;         /* of the newest whole note */
};

/* Made as by printf. */
void reseal_chain_tell(const ResealReading *reading, const char *code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Returns: borrowed; NULL: the note does not name it. */
const ResealTrack *reseal_chain_find_track(const ResealNote *note, const char *id);
