#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Which erased sessions of an organisation were found gone, when they were last looked at in full:
 * their erasure has ended, and nothing but annotations lies there. `<keys.ledger>/<org>.gone`. As
 * long as the store lists the very same names of a session, and for GONE_LIST_DAYS at most, one
 * list says that it is gone still: whatever comes back, or is said of it, is another list. */
typedef struct GoneList GoneList;

enum { GONE_LIST_DAYS = 30 };

/* `ledger`: the folder. Returns: owned; empty, so that all are looked at, where there is none yet
 * or it is not as it was written. */
GoneList *gone_list_read(const char *ledger, const char *org);

/* `keys`: all names that the store has of `session`, in order. `newest`: out, the newest day that
 * its annotations give evidence of. Returns: whether it is known to be gone, as those names are. */
bool gone_list_knows(const GoneList *self, const char *session, const GPtrArray *keys,
                     int64_t now_s, GDate *newest);

/* Notes that a full look, begun after `keys` were listed, has found it gone. Names other than
 * annotations are not noted. Thread: any. */
void gone_list_note(GoneList *self, const char *session, const GPtrArray *keys, int64_t now_s,
                    const GDate *newest);

/* Writes what was read and noted; what is older than GONE_LIST_DAYS goes. */
bool gone_list_write(const GoneList *self, int64_t now_s, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void gone_list_free(GoneList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GoneList, gone_list_free)
