#!/usr/bin/python3
"""Sends encoded media as RTP, as well or as badly as a scenario says. A process of its own.

    rtp_source.py SCENARIO.json

A scenario is {"speed": 1, "report": FILE, "streams": [{...}]}; a stream has
    packets       file of packets (see media.py)        clock_rate  of its RTP timestamps
    host, port    where to                              ssrc, payload_type   to write instead of the file's
    begin_s, end_s    the piece of the media to send; its first packet leaves at once
    silences      [[from_s, to_s]...]: not sent, sequence numbers go on without a gap (DTX, mute)
    outages       [[from_s, to_s]...]: sent into nothing, so sequence numbers are missing
    loss, duplicate, reorder    shares of packets, 0 to 1, after `spare_s` seconds; `seed` fixes which
    restart       {"at_s": t, "ssrc": n}: from there a new SSRC, other timestamps and sequence numbers
    ppm, late_s   its clock runs so much too fast; its packets leave so much later than they were made
    extras        [{"at_s": t, "hex": "...", "port": n}...]: datagrams to slip in; `port` where it is another
Times are seconds of the media. The report tells for each stream what left: packets (with the duplicates), bytes,
frames; and what was lost, `lost_at_end` of it behind the last that left.
"""

import copy
import heapq
import json
import pathlib
import random
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from peers.media import read_packets


class Stream:
    """One stream's datagrams with the time each is to leave, and the account of what left."""

    def __init__(self, settings):
        self.settings = settings
        self.address = (settings["host"], settings["port"])
        self.report = {
            "packets": 0, "bytes": 0, "frames": [], "lost": 0, "lost_at_end": 0, "duplicates": 0, "swapped": 0,
            "foreign": 0, "first_unix_us": 0,
        }
        self.random = random.Random(settings.get("seed", 1))

    def schedule(self):
        """Yields (seconds, datagram, is media, self) in order of leaving."""
        media = self._impaired(self._kept(self._placed()))
        pace, late = 1 + self.settings.get("ppm", 0) / 1e6, self.settings.get("late_s", 0)
        extras = (
            (extra["at_s"], bytes.fromhex(extra["hex"]), False, self.elsewhere(extra.get("port")))
            for extra in self.settings.get("extras", [])
        )
        media = ((at / pace + late, packet, True, self) for at, packet in media)
        return heapq.merge(media, extras, key=lambda row: row[0])

    def elsewhere(self, port):
        """The same stream, but to another port."""
        other = copy.copy(self)
        other.address = (self.settings["host"], port or self.settings["port"])
        return other

    def _placed(self):
        """Every packet with its time, counted from the piece's beginning."""
        begin = self.settings.get("begin_s", 0)
        end = self.settings.get("end_s", float("inf"))
        first = None
        for packet in read_packets(self.settings["packets"]):
            timestamp = struct.unpack_from(">I", packet, 4)[0]
            first = timestamp if first is None else first
            at = ((timestamp - first) % 2**32) / self.settings["clock_rate"]
            if begin <= at < end:
                yield at - begin, packet

    def _kept(self, packets):
        """Leaves out what is silent and renumbers, so that only lost packets leave holes."""
        sequence, frame = None, None
        for at, packet in packets:
            number, timestamp = struct.unpack_from(">HI", packet, 2)
            sequence = number if sequence is None else sequence
            if _is_within(at, self.settings.get("silences", [])):
                continue
            if timestamp != frame:
                self.report["frames"].append({"at_s": round(at, 6), "complete": True})
                frame = timestamp
            yield at, self._rewritten(at, packet, sequence, timestamp)
            sequence = (sequence + 1) % 2**16

    def _rewritten(self, at, packet, sequence, timestamp):
        ssrc = self.settings.get("ssrc", struct.unpack_from(">I", packet, 8)[0])
        restart = self.settings.get("restart")
        if restart is not None and at >= restart["at_s"]:
            ssrc = restart["ssrc"]
            sequence = (sequence + 23456) % 2**16
            timestamp = (timestamp + 1234567890) % 2**32
        marker = packet[1] & 0x80
        payload_type = self.settings.get("payload_type", packet[1] & 0x7F)
        header = struct.pack(">BBHII", packet[0], marker | payload_type, sequence, timestamp, ssrc)
        return header + packet[12:]

    def _impaired(self, packets):
        """Loses, doubles and swaps packets."""
        get, held = self.settings.get, None
        for at, packet in packets:
            spared = at < get("spare_s", 0)
            if _is_within(at, get("outages", [])) or (not spared and self._happens(get("loss", 0))):
                self.report["lost"] += 1
                self.report["lost_at_end"] += 1
                self.report["frames"][-1]["complete"] = False
                continue
            if held is None and not spared and self._happens(get("reorder", 0)):
                held = packet
                continue
            self.report["lost_at_end"] = 0
            yield at, packet
            if not spared and self._happens(get("duplicate", 0)):
                self.report["duplicates"] += 1
                yield at, packet
            if held is not None:
                self.report["swapped"] += 1
                yield at, held
                held = None
        if held is not None:
            yield at, held

    def _happens(self, share):
        return share > 0 and self.random.random() < share

    def sent(self, datagram, is_media):
        if not is_media:
            self.report["foreign"] += 1
            return
        if self.report["packets"] == 0:
            self.report["first_unix_us"] = time.time_ns() // 1000
            print("began", self.address[1], time.monotonic(), flush=True)
        self.report["packets"] += 1
        self.report["bytes"] += len(datagram)


def _is_within(at, spans):
    return any(begin <= at < end for begin, end in spans)


def run(scenario):
    """Sends everything; returns the report."""
    streams = [Stream(settings) for settings in scenario["streams"]]
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    speed = scenario.get("speed", 1)
    rows = [stream.schedule() for stream in streams]
    start = time.monotonic()
    for at, datagram, is_media, stream in heapq.merge(*rows, key=lambda row: row[0]):
        wait = start + at / speed - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        try:
            sender.sendto(datagram, stream.address)
        except ConnectionRefusedError:
            continue
        stream.sent(datagram, is_media)
    return {"streams": [stream.report for stream in streams]}


def main():
    scenario = json.loads(pathlib.Path(sys.argv[1]).read_text())
    report = run(scenario)
    partial = pathlib.Path(scenario["report"] + ".partial")
    partial.write_text(json.dumps(report))
    partial.rename(scenario["report"])


if __name__ == "__main__":
    main()
