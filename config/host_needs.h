#pragma once

/* What a recorder needs of its host, beside what is configured. */

enum {
    /* Sockets of a track: RTP and RTCP. */
    HOST_FILES_PER_TRACK = 2,
    /* Everything else that is open at once: spool, store, control API, libraries. */
    HOST_FILES_BESIDES = 256,

    /* Asked for each socket: some seconds of video, should the recorder be kept from its work. The
     * kernel gives twice as much, if net.core.rmem_max allows it. */
    HOST_RECEIVE_BUFFER_BYTES = 1 << 20,
    /* What the kernel counts for a packet of 1200 bytes, which it keeps in 2 KiB with a head. */
    HOST_COUNTED_PACKET_BYTES = 2304,
};
