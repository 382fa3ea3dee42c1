"""A bridge on `websockets`; see ../README.md."""

import argparse
import json
import ssl
import sys
import threading

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

TLS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def report(**event):
    print(json.dumps(event), flush=True)


def trust(authority, version):
    context = ssl.create_default_context(cafile=authority)
    if version:
        context.minimum_version = context.maximum_version = TLS[version]
    return context


def obey(socket):
    """Does what standard input says, until it ends."""
    for line in sys.stdin:
        order = json.loads(line)
        if "ping" in order:
            threading.Thread(target=ping, args=[socket], daemon=True).start()
            continue
        # As Python does by default, everything beyond ASCII becomes an escape.
        packet = json.dumps({"action": "client-message", "content": order["say"]})
        if "fragments" in order:
            data = packet.encode()
            size = -(-len(data) // order["fragments"])
            socket.send((data[at : at + size] for at in range(0, len(data), size)), text=True)
        else:
            socket.send(packet)
    socket.close()


def ping(socket):
    socket.ping().wait()
    report(ponged=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("name")
    parser.add_argument("key")
    parser.add_argument("--authority")
    parser.add_argument("--tls", choices=TLS)
    args = parser.parse_args()
    context = trust(args.authority, args.tls) if args.authority else None
    url = args.url.rstrip("/") + "/"
    # By default, it refuses messages above 1 MiB, which a forwarded packet of that size is.
    with connect(url, ssl=context, max_size=None, proxy=None) as socket:
        register = {"action": "register", "client-name": args.name, "secret-key": args.key}
        socket.send(json.dumps(register))
        try:
            for text in socket:
                packet = json.loads(text)
                if packet["action"] == "register-ack":
                    extensions = socket.response.headers.get("Sec-WebSocket-Extensions", "")
                    tls = socket.socket.version() if context else None
                    report(registered={"extensions": extensions, "tls": tls})
                    threading.Thread(target=obey, args=[socket], daemon=True).start()
                elif packet["action"] == "forwarding-message":
                    report(heard=f"[{packet['source-client-name']}]{packet['content']}")
        except ConnectionClosed:
            pass
        report(closed={"code": socket.close_code, "reason": socket.close_reason})


main()
