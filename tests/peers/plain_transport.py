"""Sends as a PlainTransport of mediasoup does, and hears what one would hear.

One socket for RTP and RTCP (rtcpMux), `connect`ed to one address, from which alone it takes anything (comedia off); SRTP of
AES_CM_128_HMAC_SHA1_80 under its own key, and a key of the other side's for what comes back (enableSrtp); payload types from
100 on, SSRCs drawn at random, header extensions (mid, abs-send-time) in each packet; sender reports with an SDES behind them,
a picture's every second and a sound's every five. The SRTP here follows RFC 3711 and is written on `cryptography`: it shares
no line with libsrtp2 or ffmpeg.
"""

import hashlib
import hmac
import secrets
import socket
import struct
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES, TAG_BYTES = 30, 10
NTP_UNIX_S = 2208988800
MID, ABS_SEND_TIME = 1, 4


class Srtp:
    """One direction, for one key of 30 bytes: what is sent sealed, or what comes opened. Fewer than 65536 packets."""

    def __init__(self, key):
        master, salt = key[:16], key[16:]
        derived = [_keystream(master, salt, label, size) for label, size in enumerate((16, 20, 14, 16, 20, 14))]
        self.rtp, self.rtcp = derived[:3], derived[3:]
        self.rtcp_index = 0

    def seal_rtp(self, packet, n_header):
        """The sequence numbers must not go around."""
        key, authentication, salt = self.rtp
        sequence, ssrc = struct.unpack_from(">H", packet, 2)[0], packet[8:12]
        sealed = packet[:n_header] + _mix(key, salt, ssrc, sequence, packet[n_header:])
        return sealed + _tag(authentication, sealed + bytes(4))

    def seal_rtcp(self, packet):
        key, authentication, salt = self.rtcp
        self.rtcp_index += 1
        sealed = packet[:8] + _mix(key, salt, packet[4:8], self.rtcp_index, packet[8:])
        sealed += struct.pack(">I", 1 << 31 | self.rtcp_index)
        return sealed + _tag(authentication, sealed)

    def open_rtcp(self, sealed):
        """Returns the packet; nothing if it is not genuine."""
        key, authentication, salt = self.rtcp
        body, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        if not hmac.compare_digest(_tag(authentication, body), tag):
            return None
        index = struct.unpack(">I", body[-4:])[0]
        assert index >> 31, "SRTCP that is not encrypted"
        return body[:8] + _mix(key, salt, body[4:8], index & 0x7FFFFFFF, body[8:-4])


def _counter_mode(key, start, data):
    cipher = Cipher(algorithms.AES(key), modes.CTR(start.to_bytes(16, "big"))).encryptor()
    return cipher.update(data) + cipher.finalize()


def _keystream(master, salt, label, size):
    """RFC 3711 4.3, without a derivation rate."""
    start = (int.from_bytes(salt, "big") ^ label << 48) << 16
    return _counter_mode(master, start, bytes(size))


def _mix(key, salt, ssrc, index, data):
    """RFC 3711 4.1.1."""
    start = int.from_bytes(salt, "big") << 16 ^ int.from_bytes(ssrc, "big") << 64 ^ index << 16
    return _counter_mode(key, start, data)


def _tag(key, data):
    return hmac.new(key, data, hashlib.sha1).digest()[:TAG_BYTES]


class PlainTransport:
    """One consumer. `key`: its own, NULL for plain RTP; `remote_key`: what connect() was told of the other side."""

    def __init__(self, payload_type, clock_rate, with_srtp=True):
        self.key = secrets.token_bytes(KEY_BYTES) if with_srtp else None
        self.payload_type, self.clock_rate = payload_type, clock_rate
        self.ssrc = secrets.randbits(32)
        self.first_timestamp = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.n_packets = self.n_bytes = self.n_ignored = self.n_unauthentic = 0
        self.timestamp = 0

    def connect(self, host, port, remote_key=None):
        self.remote = (host, port)
        self.send_srtp = Srtp(self.key) if self.key else None
        self.receive_srtp = Srtp(remote_key) if self.key else None

    def send(self, packet):
        """A packet of media.py's, under this consumer's numbers."""
        self.n_packets += 1
        self.timestamp = struct.unpack_from(">I", packet, 4)[0]
        marker = packet[1] & 0x80
        send_time = int(time.time() % 64 * 2**18) & 0xFFFFFF
        extension = bytes([MID << 4]) + b"0" + bytes([ABS_SEND_TIME << 4 | 2]) + send_time.to_bytes(3, "big") + bytes(2)
        header = struct.pack(">BBHII", 0x90, marker | self.payload_type, self.n_packets, self.timestamp, self.ssrc)
        header += struct.pack(">HH", 0xBEDE, len(extension) // 4) + extension
        payload = packet[12:]
        self.n_bytes += len(payload)
        self._give(header + payload, lambda srtp, data: srtp.seal_rtp(data, len(header)))

    def report(self):
        """A sender report of the last packet, and an SDES with a CNAME."""
        now = time.time() + NTP_UNIX_S
        report = struct.pack(">BBHIIIIII", 0x80, 200, 6, self.ssrc, int(now), int(now % 1 * 2**32), self.timestamp,
                             self.n_packets, self.n_bytes)
        name = b"p1-cname"
        chunk = struct.pack(">I", self.ssrc) + bytes([1, len(name)]) + name
        chunk += bytes(4 - len(chunk) % 4)
        description = struct.pack(">BBH", 0x81, 202, len(chunk) // 4) + chunk
        self._give(report + description, lambda srtp, data: srtp.seal_rtcp(data))

    def _give(self, data, seal):
        self.socket.sendto(seal(self.send_srtp, data) if self.send_srtp else data, self.remote)

    def keyframe_requests(self):
        """The PLIs for this consumer that came meanwhile; what comes from elsewhere or is not genuine is only counted."""
        requests = 0
        while True:
            try:
                data, source = self.socket.recvfrom(2048)
            except BlockingIOError:
                return requests
            if source != self.remote:
                self.n_ignored += 1
                continue
            data = self.receive_srtp.open_rtcp(data) if self.receive_srtp else data
            if data is None:
                self.n_unauthentic += 1
                continue
            requests += sum(1 for kind, ssrc in _feedback(data) if kind == (206, 1) and ssrc == self.ssrc)


def _feedback(data):
    """Of each packet in a compound: (type, format), SSRC of the media."""
    rows, at = [], 0
    while at + 12 <= len(data):
        first, kind, words = struct.unpack_from(">BBH", data, at)
        rows.append(((kind, first & 31), struct.unpack_from(">I", data, at + 8)[0]))
        at += 4 * (words + 1)
    return rows
