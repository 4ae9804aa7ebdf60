#!/usr/bin/python3
"""A bad network: takes RTP on ports of its own and hands it on as well or as badly as it was told. A process of its own.

    udp_relay.py PLAN.json

A plan is {"ports": FILE, "report": FILE, "links": [{...}]}; a link has
    to            the port (of 127.0.0.1) where it leads; clock_rate of the RTP timestamps; `seed`
    loss          share of packets that get lost
    bursts        {"enter": p, "leave": q}: with p a stretch begins in which all is lost, with q each packet ends it
    outages       [[from_s, to_s]...]: all that is sent then gets lost
    stalls        [[from_s, to_s]...]: all that is sent then leaves at its end
    duplicate     share that comes twice, the copy up to `copy_packets` (0) later
    reorder       {"share": p, "packets": n}: held back until 1 to n later ones were sent
    jitter_ms     each packet is held up by chance for up to so long
    straggle      {"share": p, "seconds": s, "until_s": t}: so few come so much later

What happens to a packet follows from the seed and the media alone: the relay's clock is the RTP timestamp of what
comes in, never the machine's. On SIGTERM, when the sender is done, it lets go of what it holds, writes the report and
ends: for each link `arrived` and `lost` (packets, by their distance in sequence numbers from the first) and `departed`,
the same in order of departure with the second at which each left.
"""

import heapq
import json
import pathlib
import random
import selectors
import signal
import socket
import struct
import sys
import time

ROOM = 4 << 20
FLUSH_AT_ONCE = 16


class Link:
    """One stream's way."""

    def __init__(self, settings):
        self.settings = settings
        self.random = random.Random(settings["seed"])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        _make_room(self.socket)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.output = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.output.connect(("127.0.0.1", settings["to"]))
        self.first = None
        self.is_in_burst = False
        self.by_time, self.by_place, self.n_held = [], [], 0
        self.report = {"arrived": [], "lost": [], "departed": []}

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def take_all(self):
        while True:
            try:
                packet = self.socket.recv(65536)
            except BlockingIOError:
                return
            self.take(packet)

    def take(self, packet):
        number, timestamp = struct.unpack_from(">HI", packet, 2)
        self.first = self.first or (number, timestamp)
        place = (number - self.first[0]) % 2**16
        now_s = ((timestamp - self.first[1]) % 2**32) / self.settings["clock_rate"]
        self.report["arrived"].append(place)
        while self.by_time and self.by_time[0][0] <= now_s:
            self._send(*heapq.heappop(self.by_time)[2:])
        if self._loses(now_s):
            self.report["lost"].append(place)
        else:
            self._pass_on(place, now_s, packet)
        while self.by_place and self.by_place[0][0] <= place:
            self._send(*heapq.heappop(self.by_place)[2:])

    def flush(self):
        held = sorted(self.by_place) + sorted(self.by_time)
        for count, row in enumerate(held):
            self._send(*row[2:])
            if count % FLUSH_AT_ONCE == 0:
                time.sleep(0.01)

    def _happens(self, share):
        return self.random.random() < share

    def _loses(self, now_s):
        get = self.settings.get
        burst = get("bursts", {"enter": 0, "leave": 1})
        is_alone = self._happens(get("loss", 0))
        turns = self._happens(burst["leave"] if self.is_in_burst else burst["enter"])
        self.is_in_burst ^= turns
        return is_alone or self.is_in_burst or any(begin <= now_s < end for begin, end in get("outages", []))

    def _pass_on(self, place, now_s, packet):
        get = self.settings.get
        reorder, straggle = get("reorder", {"share": 0, "packets": 1}), get("straggle", {"share": 0, "seconds": 0, "until_s": 0})
        is_twice = self._happens(get("duplicate", 0))
        copy_later = self.random.randint(0, get("copy_packets", 0))
        is_back = self._happens(reorder["share"])
        back = self.random.randint(1, reorder["packets"])
        straggles = self._happens(straggle["share"]) and now_s < straggle["until_s"]
        late_s = straggle["seconds"] if straggles else self.random.random() * get("jitter_ms", 0) / 1000
        late_s = max([late_s] + [end - now_s for begin, end in get("stalls", []) if begin <= now_s < end])
        if is_back:
            self._hold(self.by_place, place + back, place, packet)
        elif late_s > 0:
            self._hold(self.by_time, now_s + late_s, place, packet)
        else:
            self._send(place, packet)
        if is_twice:
            self._hold(self.by_place, place + copy_later, place, packet)

    def _hold(self, heap, until, place, packet):
        self.n_held += 1
        heapq.heappush(heap, (until, self.n_held, place, packet))

    def _send(self, place, packet):
        self.output.send(packet)
        self.report["departed"].append([place, round(time.monotonic(), 4)])


def _make_room(sock):
    """So that a relay that gets no processor for a while loses nothing by itself: past the machine's limit for root."""
    so_rcvbufforce = 33
    try:
        sock.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, ROOM)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)


def _write(path, content):
    partial = pathlib.Path(path + ".partial")
    partial.write_text(json.dumps(content))
    partial.rename(path)


def run(plan):
    links = [Link(settings) for settings in plan["links"]]
    selector = selectors.DefaultSelector()
    wake, waker = socket.socketpair()
    signal.signal(signal.SIGTERM, lambda *_: waker.send(b"x"))
    selector.register(wake, selectors.EVENT_READ, None)
    for link in links:
        selector.register(link.socket, selectors.EVENT_READ, link)
    _write(plan["ports"], [link.port for link in links])
    is_ending = False
    while not is_ending:
        for key, _ in selector.select():
            if key.data is None:
                is_ending = True
            else:
                key.data.take_all()
    for link in links:
        link.take_all()
        link.flush()
    _write(plan["report"], [link.report for link in links])


if __name__ == "__main__":
    run(json.loads(pathlib.Path(sys.argv[1]).read_text()))
