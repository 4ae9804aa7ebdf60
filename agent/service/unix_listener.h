#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* A listening Unix socket with a name in the file system, which goes when the listener does. Main
 * thread. */
typedef struct UnixListener UnixListener;

/* Listens on `path`: mode 0660 before the first connection is possible. If the service manager has
 * passed a socket of that very path, that one is taken as it is. A dead process's socket is
 * replaced; anything else that has the name stays. Errors: G_IO_ERROR_ADDRESS_IN_USE - somebody
 * serves there; G_IO_ERROR_EXISTS - not a socket; others of GIO. */
UnixListener *unix_listener_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: borrowed. */
GSocket *unix_listener_socket(const UnixListener *self);

/* Closes, and removes the name if we made it and it is still ours; NULL is allowed. */
void unix_listener_free(UnixListener *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnixListener, unix_listener_free)
