#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* UDP sockets as the ingress needs them. Any thread. */

/* Binds a non-blocking socket with a large buffer that counts its drops and notes arrivals. `port`:
 * 0 lets the kernel choose. Returns: the descriptor, -1 sets `error`. Errors: of GIO;
 * G_IO_ERROR_ADDRESS_IN_USE - try another port. */
int udp_socket_open(const char *address, uint16_t port, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: how many packets of a usual size it holds until they are received. */
unsigned udp_socket_room(int fd);

enum { UDP_SOCKET_BATCH = 64 };

/* Reused for every socket of a thread: what is received, up to the next time. */
typedef struct UdpBatch UdpBatch;

UdpBatch *udp_batch_new(void);

/* Receives what is there, without waiting. Returns: how many datagrams; 0: none. */
unsigned udp_batch_receive(UdpBatch *self, int fd);

/* Of datagram `i`, to be opened in place where it is sealed. One that was longer than its buffer
 * has `n_bytes` 0, as an empty one. Borrowed until the next receive. */
uint8_t *udp_batch_bytes(UdpBatch *self, unsigned i, size_t *n_bytes);

/* Returns: when the kernel got datagram `i`, in g_get_monotonic_time(); never goes back within a
 * batch. */
int64_t udp_batch_arrival_us(const UdpBatch *self, unsigned i);

/* Returns: where the first datagram came from. */
const struct sockaddr_storage *udp_batch_source(const UdpBatch *self, socklen_t *n_bytes);

/* Returns: how many datagrams the kernel had to drop since the socket was opened; 0 if it did not
 * say. */
uint32_t udp_batch_dropped(const UdpBatch *self);

/* Wipes; NULL is allowed. */
void udp_batch_free(UdpBatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UdpBatch, udp_batch_free)
