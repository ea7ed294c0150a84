"""A port that aiohttp serves: TLS, a token, and limits on its connections and on its end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, final

from aiohttp import web

from driftgauge.server.control_connections import KEEPALIVE_SECONDS, ControlConnections
from driftgauge.server.tls import Tls
from driftgauge.server.tokens import CHALLENGE

SHUTDOWN_SECONDS: Final = 5.0
"""How long requests may take to end after the port has closed; aiohttp's 60 s are longer than Kubernetes waits."""


@final
class ControlPort:
    """Serves the routes of one port.

    Bodies are handed out as they came, for aiohttp would decompress them without a limit.

    Args:
        routes: The paths and their handlers.
        authorize: Returns whether the value of an `Authorization` header has a valid token; `None` if none is needed.
        refuse: Makes the response with status code 401; the challenge is added to it.
        open_paths: Paths that need no token.
    """

    def __init__(
        self,
        routes: Iterable[web.RouteDef],
        authorize: Callable[[str | None], bool] | None,
        refuse: Callable[[], web.Response],
        open_paths: frozenset[str] = frozenset(),
    ) -> None:
        self._authorize = authorize
        self._refuse = refuse
        self._open_paths = open_paths
        self._connections = ControlConnections()
        app = web.Application(middlewares=[self._connections.follow, self._check_token])
        app.add_routes(routes)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=KEEPALIVE_SECONDS,
            auto_decompress=False,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        self._server: asyncio.Server | None = None
        self._tls: Tls | None = None

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Listen, with TLS if it is given; returns the port, which the system chooses if `port` is 0."""
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("aiohttp could not be set up")
        self._tls = tls

        def make() -> asyncio.Protocol:
            """The protocol of a connection."""
            return self._connections.make(server())

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(make if tls is None else tls.wrap(make), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening, and let requests end within `SHUTDOWN_SECONDS`."""
        if self._server is not None:
            self._server.close()
        if self._tls is not None:
            await self._tls.close()
        await self._runner.cleanup()

    @web.middleware
    async def _check_token(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse a request without a valid token, before its path is looked up."""
        authorization = request.headers.get("Authorization")
        if self._authorize is None or request.path in self._open_paths or self._authorize(authorization):
            return await handler(request)
        response = self._refuse()
        response.headers["WWW-Authenticate"] = CHALLENGE
        return response
