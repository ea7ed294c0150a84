"""A model server that costs little: `python -m benchmarks.model PORT [--response KIND] [--delay SECONDS]`.

It counts the bytes of each body and sends the same response each time: a V1 or V2 response of one row, or a stream of
twenty events. It reads HTTP/1.1 only as proxies write it.
"""

import argparse
import asyncio
import re
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_V1 = b'{"predictions":[5.1]}'
_V2 = (
    b'{"model_name":"wine","id":"1","outputs":[{"name":"quality","shape":[1,1],"datatype":"FP64",'
    b'"parameters":null,"data":[5.1]}]}'
)
_EVENT = b'data: {"token":"%02d"}\n\n'
_EVENTS = b"".join(b"%x\r\n%b\r\n" % (len(_EVENT % number), _EVENT % number) for number in range(20)) + b"0\r\n\r\n"


def with_length(content_type: bytes, body: bytes) -> bytes:
    """A response with a body."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\nserver: uvicorn\r\n\r\n"
    return head % (content_type, len(body)) + body


RESPONSES = {
    "v1 of 32 rows": with_length(b"application/json", b'{"predictions":[%b]}' % b",".join([b"5.1"] * 32)),
    "v1": with_length(b"application/json", _V1),
    "v2": with_length(b"application/json", _V2),
    "events": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + _EVENTS,
}


class ModelConnection(asyncio.Protocol):
    """Responds when a body is complete.

    Args:
        response: Its bytes.
        delay: Seconds before the response.
    """

    def __init__(self, response: bytes, delay: float) -> None:
        self._response = response
        self._delay = delay
        self._buffered = b""
        self._left = -1
        self._is_chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of the body, and respond at its end."""
        if self._left < 0:
            self._buffered += data
            end = self._buffered.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data, self._buffered = self._buffered[:end], self._buffered[end + 4 :], b""
            found = _LENGTH.search(head)
            self._is_chunked = _CHUNKED.search(head) is not None
            self._left = int(found[1]) if found else 0
        if self._is_chunked:
            if not data.endswith(b"0\r\n\r\n"):
                return
        else:
            self._left -= len(data)
            if self._left > 0:
                return
        self._left = -1
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, self._response)
        else:
            self._transport.write(self._response)


async def _serve(port: int, response: bytes, delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ModelConnection(response, delay), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Serve until a signal stops it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--response", choices=RESPONSES, default="v1")
    parser.add_argument("--delay", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(_serve(options.port, RESPONSES[options.response], options.delay))


if __name__ == "__main__":
    main()
