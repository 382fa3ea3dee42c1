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
parser.add_argument("url")
parser.add_argument("name")
parser.add_argument("key")
options = parser.parse_args()
NAME, KEY = options.name, options.key
chance = random.Random(options.seed)

acked, posted, complaints, breaks = {}, [], [], 0


class Closed(Exception):
    def __init__(self, code):
        self.code = code


class Done(Exception):
    pass


class Connection:
    def __init__(self):
        self.socket = dial(options.url)
        self.turns = chance.randint(1, 25)

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
            yield json.loads(self.socket.recv())

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


def post(packet):
    posted.append(packet["seq"])


connect, backoff, table = Connection, Backoff(), {}
show = show_presence = drop_edits_deletes_and_reply_tos = put_back = call_later = speak_plain = lambda *_: None

with open(options.document, encoding="utf-8") as document:
    [sample] = re.findall(r"```python\n(.*?)```", document.read(), re.DOTALL)
# The one thing that is not there: something to be said.
EMPTY = "waiting = deque()"
assert sample.count(EMPTY) == 1
packets = [{"action": "client-message", "content": f"{i}", "id": f"p{i}"} for i in range(options.messages)]
sample = sample.replace(EMPTY, "waiting = deque(packets)")
try:
    exec(compile(sample, options.document, "exec"))
except Done:
    report = {"breaks": breaks, "seqs": [*posted, *acked.values()], "complaints": complaints}
    print(json.dumps(report), flush=True)
