"""A bridge on `websockets`; see ../README.md."""

import argparse
import asyncio
import json
import os
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

TLS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def report(**event):
    print(json.dumps(event), flush=True)


def trust(authority, version):
    context = ssl.create_default_context(cafile=authority)
    if version:
        context.minimum_version = context.maximum_version = TLS[version]
    return context


async def lines(stream):
    """The lines of a file that may keep us waiting."""
    while line := await asyncio.to_thread(stream.readline):
        yield line


async def obey(socket):
    """Does what standard input says, until it ends."""
    async for line in lines(sys.stdin):
        order = json.loads(line)
        if "ping" in order:
            await (await socket.ping())
            report(ponged=True)
            continue
        if "abort" in order:
            socket.transport.abort()
            return
        # As Python does by default, everything beyond ASCII becomes an escape.
        packet = order.get("send") or {"action": "client-message", "content": order["say"]}
        packet = json.dumps(packet)
        if "fragments" in order:
            data = packet.encode()
            size = -(-len(data) // order["fragments"])
            await socket.send((data[at : at + size] for at in range(0, len(data), size)), text=True)
        else:
            await socket.send(packet)
    await socket.close()


async def listen(socket, whole):
    async for text in socket:
        packet = json.loads(text)
        if packet["action"] == "register-ack":
            extensions = socket.response.headers.get("Sec-WebSocket-Extensions", "")
            tunnel = socket.transport.get_extra_info("ssl_object")
            report(registered={"extensions": extensions, "tls": tunnel and tunnel.version()})
        if whole:
            report(packet=packet, text=text)
        elif packet["action"] == "forwarding-message":
            report(heard=f"[{packet['source-client-name']}]{packet['content']}")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("name")
    parser.add_argument("key")
    parser.add_argument("--ask", type=json.loads)
    parser.add_argument("--authority")
    parser.add_argument("--tls", choices=TLS)
    args = parser.parse_args()
    context = trust(args.authority, args.tls) if args.authority else None
    url = args.url.rstrip("/") + "/"
    # By default, it refuses messages above 1 MiB, which a forwarded packet of that size is.
    async with connect(url, ssl=context, max_size=None, proxy=None) as socket:
        register = {"action": "register", "client-name": args.name, "secret-key": args.key}
        register.update(args.ask or {})
        await socket.send(json.dumps(register))
        orders = asyncio.create_task(obey(socket))
        try:
            await listen(socket, args.ask is not None)
        except ConnectionClosed:
            pass
        report(closed={"code": socket.close_code, "reason": socket.close_reason})
        orders.cancel()
    # Not by `return`: standard input may still be waited for.
    sys.stdout.flush()
    os._exit(0)


asyncio.run(main())
