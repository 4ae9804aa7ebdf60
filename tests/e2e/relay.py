"""A bad network between a sender and a recorder (peers/udp_relay.py), and what it did to each stream."""

import json
import pathlib

from harness import PEERS
from peers.children import Child, poll


class Relay:
    """One relay for many streams. `links`: rows of `link()`."""

    def __init__(self, folder, links):
        self.folder = pathlib.Path(folder)
        self.ports_path, self.report_path = self.folder / "relay.ports", self.folder / "relay.report"
        plan = {"ports": str(self.ports_path), "report": str(self.report_path), "links": links}
        plan_path = self.folder / "relay.json"
        plan_path.write_text(json.dumps(plan))
        self.child = Child(["/usr/bin/python3", PEERS / "udp_relay.py", plan_path], self.folder / "relay.log")
        poll(self.ports_path.exists, 20, "the relay to listen")
        self.ports = json.loads(self.ports_path.read_text())

    def finish(self):
        """Lets go of what it still holds; returns what each link did, as Passage."""
        if self.child.terminate(30) != 0:
            raise RuntimeError("relay: " + self.child.log_text()[-1500:])
        return [Passage(row) for row in json.loads(self.report_path.read_text())]


def link(encoded, port, seed, faults):
    return {"to": port, "clock_rate": encoded.clock_rate, "seed": seed, **faults}


class Passage:
    """What came out of a link, in order of departure; places count from the stream's first packet."""

    def __init__(self, row):
        self.n_entered = len(row["arrived"])
        self.n_lost = len(row["lost"])
        self.order = [place for place, _ in row["departed"]]
        self.left_s = [at for _, at in row["departed"]]
        self.places = set(self.order)

    def expected(self):
        """What can be known to be missing: from the first that came to the last."""
        return max(self.places) - min(self.places) + 1

    def duplicates(self):
        return len(self.order) - len(self.places)

    def behind(self):
        """The places that came behind a higher one, each with how long that one had waited for it."""
        rows, seen, highest = {}, {}, -1
        for place, at in zip(self.order, self.left_s):
            if place < highest and place not in seen:
                rows[place] = at - min(left for other, left in seen.items() if other > place)
            highest = max(highest, place)
            seen.setdefault(place, at)
        return rows
