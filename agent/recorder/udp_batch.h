#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What is received from a socket of udp_socket_open(), many datagrams at once. Reused for every
 * socket of a thread: holds what came, up to the next time. */
typedef struct UdpBatch UdpBatch;

/* Pieces that one receive takes; without udp_socket_allow_pieces() each is a datagram. */
enum { UDP_BATCH_PIECES = 64 };

UdpBatch *udp_batch_new(void);

/* Receives what is there, without waiting. Returns: how many datagrams; 0: none. */
unsigned udp_batch_receive(UdpBatch *self, int fd);

/* Says whether the last receive took as many pieces as it can, so that there may be more. */
bool udp_batch_is_full(const UdpBatch *self);

/* Of datagram `i`, to be opened in place where it is sealed. One longer than a packet may be has
 * `n_bytes` 0, as an empty one. Borrowed until the next receive. */
uint8_t *udp_batch_bytes(UdpBatch *self, unsigned i, size_t *n_bytes);

/* Returns: when the kernel got datagram `i`, in g_get_monotonic_time(); never goes back within a
 * batch. */
int64_t udp_batch_arrival_us(const UdpBatch *self, unsigned i);

/* Returns: where the first datagram came from. */
const struct sockaddr_storage *udp_batch_source(const UdpBatch *self, socklen_t *n_bytes);

/* Returns: how many datagrams the kernel had to drop since the socket was opened, one for a whole
 * piece (what is missing in the sequence tells the rest); 0 if it did not say. */
uint32_t udp_batch_dropped(const UdpBatch *self);

/* Wipes; NULL is allowed. */
void udp_batch_free(UdpBatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UdpBatch, udp_batch_free)
