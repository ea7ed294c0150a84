"""A simple receiver with aiohttp and the CloudEvents SDK: `python -m benchmarks.logger.sdk_receiver PORT`.

It parses each event and responds; it decodes and stores nothing.
"""

import sys

from aiohttp import web
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent


async def _receive(request: web.Request) -> web.Response:
    body = await request.read()
    event = from_binary(HTTPMessage({**request.headers}, body), JSONFormat(), CloudEvent)
    return web.Response(status=200 if event.get_id() else 400)


def main() -> None:
    """Serve until a signal stops it."""
    app = web.Application(client_max_size=2**30)
    app.router.add_post("/{path:.*}", _receive)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
