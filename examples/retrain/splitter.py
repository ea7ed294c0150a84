"""Splits requests between two revisions: `python -m examples.retrain.splitter --port PORT --control-port PORT`.

It stands where a gateway stands in a cluster. On the control port `PUT /route` takes `{"stable": URL, "canary": URL,
"percent": 30}`, and `GET /route` returns it with the number of requests that each has got. Each request goes to the
canary with this chance, as a gateway with weights does: so both get the same kind of requests.
"""

import argparse
import asyncio
import contextlib
import random
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
from aiohttp import web

from examples.demo.serving import MAX_BODY_BYTES, listen, stop_signals

HOP_BY_HOP = {
    *("connection", "content-length", "host", "keep-alive", "trailer", "transfer-encoding", "upgrade"),
    "te",  # codespell:ignore te
}
"""Headers of one connection, which a proxy does not pass on (RFC 9110, section 7.6.1)."""

SEED = 2009
"""Of the chance, so that a run can be repeated."""

HUNDRED = 100


@dataclass(slots=True)
class Route:
    """Where requests go.

    Args:
        stable: Address of the stable revision, without a path; empty before the first `PUT`.
        canary: Address of the canary.
        percent: Requests in 100 that go to the canary.
        to_stable: Requests that the stable revision has got.
        to_canary: Requests that the canary has got.
    """

    stable: str = ""
    canary: str = ""
    percent: int = 0
    to_stable: int = 0
    to_canary: int = 0

    def change(self, wanted: dict[str, Any]) -> None:
        """Take new addresses and a new share; raises `ValueError` if they cannot be used."""
        stable, canary, percent = (wanted.get(name) for name in ("stable", "canary", "percent"))
        if not isinstance(percent, int) or not 0 <= percent <= HUNDRED:
            raise ValueError(f"percent must be a whole number from 0 to 100; it is {percent!r}")
        urls = [stable] * (percent < HUNDRED) + [canary] * (percent > 0)
        if not all(isinstance(url, str) and url.startswith("http://") for url in urls):
            raise ValueError("stable and canary must be http:// addresses, each if it gets requests")
        self.stable, self.canary, self.percent = stable or "", canary or "", percent

    def choose(self, chance: float) -> str:
        """The address for the next request, by a number from 0 to 1."""
        is_canary = chance * HUNDRED < self.percent
        self.to_canary += is_canary
        self.to_stable += not is_canary
        return self.canary if is_canary else self.stable


class Splitter:
    """Passes requests on, and changes the route.

    Args:
        session: The HTTP client.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._route = Route()
        self._random = random.Random(SEED)  # noqa: S311 no secret

    async def forward(self, request: web.Request) -> web.Response:
        """Send a request to one of the revisions, and return its response; 502 if it does not respond."""
        url = self._route.choose(self._random.random())
        if not url:
            raise web.HTTPServiceUnavailable(text="there is no route yet: PUT one to /route of the control port\n")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        body = await request.read()
        try:
            async with self._session.request(
                request.method, url + request.path_qs, data=body, headers=headers, allow_redirects=False
            ) as response:
                kept = [(name, value) for name, value in response.headers.items() if name.lower() not in HOP_BY_HOP]
                return web.Response(status=response.status, body=await response.read(), headers=dict(kept))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise web.HTTPBadGateway(text=f"{url} did not respond: {error!r}\n") from error

    async def change_route(self, request: web.Request) -> web.Response:
        """`PUT /route`."""
        try:
            self._route.change(await request.json())
        except (ValueError, AttributeError) as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        return await self.show_route(request)

    async def show_route(self, _: web.Request) -> web.Response:
        """`GET /route`."""
        return web.json_response(asdict(self._route))


async def serve(port: int, control_port: int) -> None:
    """Listen on both ports of 127.0.0.1 until SIGTERM or SIGINT."""
    stopped = stop_signals()
    async with aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=30)) as session:
        splitter = Splitter(session)
        data = web.Application(client_max_size=MAX_BODY_BYTES)
        data.add_routes([web.route("*", "/{path:.*}", splitter.forward)])
        control = web.Application()
        control.add_routes([web.get("/route", splitter.show_route), web.put("/route", splitter.change_route)])
        runner = web.AppRunner(control, access_log=None)
        await runner.setup()
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", control_port).start()
            await listen(data, port, stopped)


def main() -> None:
    """Split requests on the ports that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m examples.retrain.splitter", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1 that requests are sent to")
    parser.add_argument("--control-port", type=int, required=True, help="port on 127.0.0.1 that the route is put to")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.port, chosen.control_port))


if __name__ == "__main__":
    main()
