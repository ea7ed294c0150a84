"""A model server whose every response can be computed by a test: it returns the SHA-256 of the request body."""

import hashlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


def response_to(body: bytes) -> bytes:
    """The response to a request body, byte for byte."""
    return json.dumps({"predictions": [1.0], "sha256": hashlib.sha256(body).hexdigest()}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Respond with a prediction."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if isinstance(self.server, _Server):
            self.server.gate.wait(timeout=60)
            self._response(self.server.response(body), self.server.status)

    def do_GET(self) -> None:
        """Respond that the server is ready."""
        self._response(b'{"ready":true}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the signature is the library's
        """Log nothing."""

    def _response(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, response: Callable[[bytes], bytes]) -> None:
        self.response = response
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that leave."""


class EchoModel:
    """A model server on loopback, in threads of this process.

    Args:
        port: The port to listen on; 0 lets the system choose.
        response: Its response to a request body.
    """

    def __init__(self, port: int = 0, response: Callable[[bytes], bytes] = response_to) -> None:
        self._server = _Server(port, response)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def gate(self) -> threading.Event:
        """Predictions wait while this event is cleared."""
        return self._server.gate

    def respond_with(self, status: int) -> None:
        """Send this status code with each later response to a POST."""
        self._server.status = status

    def __enter__(self) -> Self:
        """The server, listening."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
