"""A person in a Janus room: a browser of their own, which shows and sounds the wall clock."""

import json

from harness import PEERS, poll
from peers import chromium, janus

FRAME_RATE = 15


class Guest:
    """Has the page open; enter() the room then, under `name`. `options`: of makeOffer() in peers/publish.html; `door`: of
    joining. A browser ends with the thread that made it."""

    def __init__(self, folder, name, size=(320, 240), door=None, **options):
        folder.mkdir()
        self.name, self.size, self.door = name, size, door or {}
        self.options = {"clock": True, **options}
        self.browser = chromium.Chromium(folder, PEERS / "publish.html")
        self.publisher = None

    def enter(self):
        self.publisher = janus.Publisher()
        self.publisher.join(self.name, **self.door)
        offer = self.browser.evaluate(f"makeOffer({self.size[0]}, {self.size[1]}, {FRAME_RATE}, {json.dumps(self.options)})")
        answer = self.publisher.publish(offer)
        state = self.browser.evaluate(f"takeAnswer({json.dumps(answer)})")
        if state != "connected":
            raise RuntimeError(f"{self.name}'s call is {state}")

    def do(self, *calls):
        """Calls functions of the page, one after the other."""
        for call in calls:
            self.browser.evaluate(call)

    def sent(self):
        return self.browser.evaluate("sent()")

    def wait_sent(self, condition, what, timeout_s=30):
        """Until what was sent of the picture is as `condition` wants it."""
        return poll(lambda: condition(self.sent()["video"]), timeout_s, what, 0.25)

    def leave(self):
        self.publisher.leave()
        self.browser.evaluate("hangUp()")

    def close(self):
        self.browser.close()
