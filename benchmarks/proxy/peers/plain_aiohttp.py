"""A simple reverse proxy with aiohttp: `python -m benchmarks.proxy.peers.plain_aiohttp PORT MODEL_PORT`."""

import sys
from collections.abc import AsyncIterator

from aiohttp import ClientSession, TCPConnector, web

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}  # codespell:ignore te
_SESSION = web.AppKey("session", ClientSession)


async def _session(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession(connector=TCPConnector(limit=0), auto_decompress=False) as session:
        app[_SESSION] = session
        yield


async def _forward(request: web.Request) -> web.StreamResponse:
    url = f"http://127.0.0.1:{sys.argv[2]}{request.raw_path}"
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
    body = request.content if request.body_exists else None
    async with request.app[_SESSION].request(request.method, url, headers=headers, data=body) as reply:
        kept = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP_BY_HOP}
        response = web.StreamResponse(status=reply.status, headers=kept)
        await response.prepare(request)
        async for piece in reply.content.iter_any():
            await response.write(piece)
        await response.write_eof()
        return response


def main() -> None:
    """Serve until a signal stops it."""
    app = web.Application(client_max_size=2**30)
    app.cleanup_ctx.append(_session)
    app.router.add_route("*", "/{path:.*}", _forward)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
