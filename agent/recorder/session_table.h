#pragma once

#include "agent/recorder/session.h"

#include <glib.h>
#include <stdbool.h>

/* The sessions that a recorder knows, those that are over included as long as somebody may ask how
 * they went. Main thread. */
typedef struct SessionTable SessionTable;

SessionTable *session_table_new(void);

/* Takes `session`. Of those that are over the oldest are forgotten when there are too many. */
void session_table_add(SessionTable *self, Session *session);

/* Returns: borrowed; NULL if there is none, or it ended long ago. */
Session *session_table_find(const SessionTable *self, const char *id);

/* Returns: all, in order of their beginning, borrowed; owned list. */
GPtrArray *session_table_list(const SessionTable *self);

/* Forgets one that never began. It is freed later, for its callers are still on the stack. */
void session_table_drop(SessionTable *self, Session *session);

/* How many record, or are about to; how many are not yet stored. */
unsigned session_table_count_open(const SessionTable *self);
unsigned session_table_count_unfinished(const SessionTable *self);

/* Ends those that have reached a limit, and those of which nothing was heard for `orphan_us` (0:
 * never). */
void session_table_end_overdue(SessionTable *self, int64_t orphan_us);

/* NULL is allowed. */
void session_table_free(SessionTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionTable, session_table_free)
