"""What the servers of the examples have in common: they listen on the loopback address until they are stopped."""

import asyncio
import signal

from aiohttp import web

MAX_BODY_BYTES = 64 * 2**20
"""Far larger than any request of the demo; tests send larger ones than the demo."""


def stop_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set from now on."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def listen(app: web.Application, port: int, stopped: asyncio.Event) -> None:
    """Listen on 127.0.0.1, print the line `ready http://127.0.0.1:PORT`, and serve until the event is set."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print(f"ready http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()
