"""Reads a town's stream with one of Python's clients, by its own means, and prints the id of each event that comes.

    python readers.py httpx-sse|sseclient-py|websockets|aiohttp URL KEY

A connection that ends or breaks is opened again behind the newest event, as each client's documentation has it done.
"""

import asyncio
import json
import sys
import time

PAUSE_SECONDS = 0.1
# The first thing that a WebSocket says.
PING = '{"type":"ping"}'


def note(event):
    print(event["id"], flush=True)
    return event["id"]


def notes_of_frame(text, last):
    frame = json.loads(text)
    for event in frame.get("events", []):
        last = note(event)
    return last


def httpx_sse(url, headers):
    import httpx
    from httpx_sse import connect_sse

    last, pause = None, PAUSE_SECONDS
    while True:
        own = {**headers, **({"Last-Event-ID": last} if last else {})}
        try:
            with httpx.Client(timeout=30) as client, connect_sse(client, "GET", url, headers=own) as source:
                for message in source.iter_sse():
                    data = message.json()
                    if message.retry is not None:
                        pause = message.retry / 1000
                    if message.event == "note":
                        note(data)
                        last = message.id
        except httpx.TransportError:
            pass
        time.sleep(pause)


def sseclient_py(url, headers):
    import requests
    import sseclient

    last = None
    while True:
        own = {**headers, "Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        try:
            answer = requests.get(url, stream=True, headers=own, timeout=30)
            answer.raise_for_status()
            for message in sseclient.SSEClient(answer).events():
                if message.event == "note":
                    note(json.loads(message.data))
                    last = message.id
        except requests.exceptions.RequestException:
            pass
        time.sleep(PAUSE_SECONDS)


async def websockets_(url, headers):
    import websockets

    last = 0
    while True:
        address = f"{url.replace('http', 'ws', 1)}?after_id={last}"
        try:
            async with websockets.connect(address, additional_headers=headers) as socket:
                await socket.send(PING)
                async for text in socket:
                    last = notes_of_frame(text, last)
        except (OSError, websockets.exceptions.WebSocketException):
            pass
        await asyncio.sleep(PAUSE_SECONDS)


async def aiohttp_(url, headers):
    import aiohttp

    last = 0
    async with aiohttp.ClientSession(headers=headers) as session:
        while True:
            try:
                async with session.ws_connect(url, params={"after_id": str(last)}) as socket:
                    await socket.send_str(PING)
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.TEXT:
                            last = notes_of_frame(message.data, last)
            except (OSError, aiohttp.ClientError):
                pass
            await asyncio.sleep(PAUSE_SECONDS)


def main(name, url, key):
    headers = {"Authorization": f"Bearer {key}"}
    if name in ("httpx-sse", "sseclient-py"):
        {"httpx-sse": httpx_sse, "sseclient-py": sseclient_py}[name](url, headers)
    else:
        asyncio.run({"websockets": websockets_, "aiohttp": aiohttp_}[name](url, headers))


main(*sys.argv[1:])
