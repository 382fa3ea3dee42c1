"""The rich client of sdk/PROTOCOL.md, run as it stands there; see ../README.md.

What the document leaves to its reader is filled in here, as plainly as can be; and the connection breaks at
every turn.
"""

import argparse
import json
import random
import re
import socket
import time
from collections import deque

from websockets.sync.client import connect as dial

parser = argparse.ArgumentParser()
parser.add_argument("document")
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--messages", type=int, required=True)
parser.add_argument("--first-bytes", type=int, default=0)
parser.add_argument("--unbroken", action="store_true")
parser.add_argument("url")
parser.add_argument("name")
parser.add_argument("key")
options = parser.parse_args()
NAME, KEY = options.name, options.key
chance = random.Random(options.seed)

acked, posted, complaints, breaks, timers = {}, [], [], 0, []


class Closed(Exception):
    def __init__(self, code):
        self.code = code


class Done(Exception):
    pass


class Connection:
    def __init__(self):
        self.socket = dial(options.url)
        self.turns = 1e9 if options.unbroken else chance.randint(1, 25)
        timers.clear()

    def turn(self):
        global breaks
        self.turns -= 1
        if self.turns < 0:
            breaks += 1
            self.socket.socket.shutdown(socket.SHUT_RDWR)
            raise Closed(None)

    def send(self, packet):
        self.turn()
        self.socket.send(json.dumps(packet))

    def receive(self, seconds):
        return json.loads(self.socket.recv(timeout=seconds))

    def __iter__(self):
        while True:
            self.turn()
            while timers and timers[0][0] <= now():
                timers.pop(0)[1]()
            try:
                yield json.loads(self.socket.recv(timeout=timers[0][0] - now() if timers else None))
            except TimeoutError:
                pass

    def allow_sending(self):
        pass


class Backoff:
    def next(self):
        return 0


def sleep(seconds):
    time.sleep(seconds)


def entered(packet, seq):
    if packet:
        acked[packet["id"]] = seq
    if len(acked) == options.messages:
        raise Done


def refused(packet, code):
    complaints.append(code)


def tell_people(what, *about):
    complaints.append(what)


def pace(limits):
    return True


def put_back(packet):
    at = next((i for i, other in enumerate(waiting) if number(other) > number(packet)), len(waiting))
    waiting.insert(at, packet)


def number(packet):
    return int(packet["id"][1:])


def call_later(seconds, function):
    timers.append((now() + seconds, function))
    timers.sort(key=lambda timer: timer[0])


def post(packet):
    posted.append(packet["seq"])


connect, backoff, table = Connection, Backoff(), {}
show = show_presence = drop_edits_deletes_and_reply_tos = speak_plain = lambda *_: None
now = time.monotonic

with open(options.document, encoding="utf-8") as document:
    [sample] = re.findall(r"```python\n(.*?)```", document.read(), re.DOTALL)
# The one thing that is not there: something to be said.
EMPTY = "waiting = deque()"
assert sample.count(EMPTY) == 1
packets = [{"action": "client-message", "content": f"{i}", "id": f"p{i}"} for i in range(options.messages)]
packets[0]["content"] = packets[0]["content"].ljust(options.first_bytes)
sample = sample.replace(EMPTY, "waiting = deque(packets)")
try:
    exec(compile(sample, options.document, "exec"))
except Done:
    report = {"breaks": breaks, "seqs": [*posted, *acked.values()], "acked": [*acked], "complaints": complaints}
    print(json.dumps(report), flush=True)
