#pragma once

#include "agent/opener/grant.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The grants that are alive, and for a while those that were. Main thread; knows no clock. */
typedef struct GrantTable GrantTable;

/* `on_ended`: told of each grant that ends by itself, or is revoked; it still is in the table. */
GrantTable *grant_table_new(unsigned most_alive, void (*on_ended)(Grant *grant, void *user_data),
                            void *user_data);

/* Returns: how many more there is room for. */
unsigned grant_table_room(const GrantTable *self);

/* `grant`: taken. */
void grant_table_add(GrantTable *self, Grant *grant);

/* Returns: borrowed until the main loop runs again; NULL if `caller` has none of this id, or
 * (`caller` NULL) nobody has. */
Grant *grant_table_find(const GrantTable *self, const char *id, const Caller *caller);

/* Returns: GPtrArray of Grant, borrowed, owned array: those of `caller`; of their whole
 * organisation if `is_whole_org`. */
GPtrArray *grant_table_list(const GrantTable *self, const Caller *caller, bool is_whole_org);

/* Ends a grant that is alive. `reason`: static. */
void grant_table_revoke(GrantTable *self, Grant *grant, const char *reason);

void grant_table_revoke_all(GrantTable *self, const char *reason);

/* Ends what is over, and forgets what has been over for long. */
void grant_table_tick(GrantTable *self, int64_t now_us);

/* Calls `visit` for each grant under which something is streamed. */
void grant_table_each_streaming(GrantTable *self, void (*visit)(Grant *grant, void *user_data),
                                void *user_data);

void grant_table_free(GrantTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GrantTable, grant_table_free)
