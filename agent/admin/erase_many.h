#pragma once

#include "agent/admin/command_context.h"

#include <glib.h>

/* The erasure of many recordings by two people, one row for each: of one client, or of a whole
 * organisation that has been handed its recordings. It says first what would be done. Whoever is
 * interrupted begins again: what is done already is done. */

typedef enum {
    ERASE_MANY_LIST, /* changes nothing */
    ERASE_MANY_REQUEST,
    ERASE_MANY_APPROVE, /* and erases */
} EraseManyAct;

/* All borrowed. */
typedef struct {
    EraseManyAct act;
    const char *org;
    const char *client;   /* a subject or a pseudonym; NULL: all of the organisation */
    char **identities;    /* of `client`: files that open the sessions' metadata, which says who */
    const char *exported; /* of the organisation: where `offboard` has written them */
    const char *reason;
} EraseMany;

/* Returns: an ExitCode; EXIT_CODE_FINDINGS if an approval left something. */
int erase_many_run(CommandContext *context, const EraseMany *many);
