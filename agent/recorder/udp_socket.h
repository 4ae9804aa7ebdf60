#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* UDP sockets as the ingress needs them. Any thread. */

/* Binds a non-blocking socket with a large buffer that counts its drops and notes arrivals. `port`:
 * 0 lets the kernel choose. Returns: the descriptor, -1 sets `error`. Errors: of GIO;
 * G_IO_ERROR_ADDRESS_IN_USE - try another port. */
int udp_socket_open(const char *address, uint16_t port, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: how many packets of a usual size it holds until they are received. */
unsigned udp_socket_room(int fd);

/* Returns: how many datagrams found no room so far. What udp_batch_dropped() says is of before the
 * last one that was received; this includes those behind it. 0 where the kernel does not say. */
uint32_t udp_socket_dropped(int fd);

/* Lets the kernel hand over datagrams that came one after the other from one source as one piece
 * (UDP_GRO), which udp_batch_receive() takes apart again: where a network card or a sender on this
 * host makes such pieces, a picture costs little more than a packet. Not for datagrams that are
 * opened in place: they no longer begin where words do. */
void udp_socket_allow_pieces(int fd);
