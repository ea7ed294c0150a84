"""Values of payloads, and secrets, are in no log line, metric or status, whatever goes wrong with them."""

import base64
import gzip
import json
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.agent import Event
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Driftgauge, get
from tests.support.wine import ROWS

pytestmark = pytest.mark.timeout(180)

MARKER = "s3cretvalue"
NUMBER = "31415926.5358"
REQUEST = b"POST /v1/models/a:predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
REFERENCE = "alcohol,colour\n" + "".join(f"{row[0]},red\n" for row in ROWS[:50])


def bodies(kind: str) -> Iterator[bytes]:
    """Bodies that cannot be used, each for another reason; every value has the marker or the number."""
    rows = "instances" if kind == "request" else "predictions"
    yield from (text.encode() for text in _texts(rows, "inputs" if kind == "request" else "outputs"))
    yield f'{{"{rows}": [["{MARKER}"'.encode() + b"\xff\xfe]]}"
    yield b"\x1f\x8b" + MARKER.encode() * 20
    yield gzip.compress(f'{{"{rows}": [["{MARKER}"]]'.encode())[:-9] + MARKER.encode()
    tensor = {"name": "alcohol", "datatype": "FP64", "shape": [2], "parameters": {"binary_data_size": 16}}
    member = "inputs" if kind == "request" else "outputs"
    yield json.dumps({member: [tensor]}).encode() + MARKER.encode()
    texts = tensor | {"datatype": "BYTES"}
    yield json.dumps({member: [texts]}).encode() + struct.pack("<I", 900) + MARKER.encode()
    long = json.dumps([[NUMBER, MARKER]] * 60_000)
    yield f'{{"{rows}": {long}, "x": {MARKER}}}'.encode()
    yield f'{{"{rows}": {long}}}'.encode()


def _texts(rows: str, member: str) -> Iterator[str]:
    yield MARKER
    yield f'"{MARKER}"'
    yield f'{{"{rows}": [["{MARKER}", 1]]}}'
    yield f'{{"{rows}": [[{{"a": "{MARKER}"}}, 1]]}}'
    yield f'{{"{rows}": [["{MARKER}"], [[1]]]}}'
    yield f'{{"{rows}": "{MARKER}"}}'
    yield f'{{"{rows}": [[{NUMBER}]]}}'
    yield f'{{"{rows}": [[1e999, "{MARKER}"]]}}'
    yield f'{{"{rows}": [[1{"0" * 5000}, "{MARKER}"]]}}'
    yield f'{{"{rows}": [["\\ud800{MARKER}", 1]]}}'
    yield f'{{"{rows}": [["\\q{MARKER}", 1]]}}'
    yield f'{{"{rows}": {"[" * 3000}"{MARKER}"'
    yield f'{{"{rows}": [{NUMBER} {NUMBER}]}}'
    yield f'{{"{member}": [{{"name": "alcohol", "datatype": "{MARKER}", "shape": [1], "data": [1]}}]}}'
    yield f'{{"{member}": [{{"name": "alcohol", "datatype": "FP64", "shape": ["{MARKER}"], "data": [1]}}]}}'
    yield f'{{"{member}": [{{"name": "alcohol", "datatype": "FP64", "shape": [1], "data": ["{MARKER}"]}}]}}'
    yield f'{{"{member}": [{{"name": "alcohol", "datatype": "FP64", "shape": [1], "data": "{MARKER}"}}]}}'
    yield f'{{"model": {{"a": "{MARKER}"}}, "messages": ["{MARKER}"]}}'


def structured() -> Iterator[tuple[bytes, bytes]]:
    """Content types and bodies of structured and batched events that cannot be used."""
    event = {"specversion": "1.0", "id": "1", "source": MARKER, "type": "a.request", "inferenceservicename": "wine"}
    faults: list[object] = [
        MARKER,
        [MARKER],
        event | {"type": MARKER},
        event | {"time": MARKER},
        event | {"time": "2026-99-99T00:00:00Z", "x": MARKER},
        event | {"specversion": MARKER},
        event | {"namespace": {"a": MARKER}},
        event | {"data_base64": f"*{MARKER}*"},
        event | {"data": {"instances": [[MARKER, 1]]}},
        event | {"metadata": f"{{{MARKER}"},
        event | {"statuscode": MARKER},
    ]
    for one in faults:
        yield b"application/cloudevents+json", json.dumps(one).encode()
        yield b"application/cloudevents-batch+json", json.dumps([one]).encode()
        yield b"application/cloudevents-batch+json", json.dumps([one] * 200).encode()
    yield b"application/cloudevents+json", b'{"id": "' + MARKER.encode()
    yield b"application/cloudevents+json", b'{"id": "\xff' + MARKER.encode() + b'"}'


def broken_requests(target: bytes) -> Iterator[bytes]:
    """Requests whose framing or head is not valid, with the marker in each place."""
    mark = MARKER.encode()
    yield mark + b"\r\n\r\n"
    yield b"POST /%b HTTP/1.1\r\n\r\n" % mark
    yield b"POST %b HTTP/1.1\r\nHost: a\r\nX: %b\0\r\n\r\n" % (target, mark)
    yield b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %b\r\n\r\n" % (target, mark)
    yield b"POST %b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %b\r\n\r\n" % (target, mark)
    yield b"POST %b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n%b" % (target, mark, mark)
    yield b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\nCookie: %b\r\n\r\n%b" % (target, mark, mark)
    yield b"GET /report?inference_service=%b HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n\r\n" % (mark, mark)


def post(port: int, target: bytes, lines: list[bytes], body: bytes) -> None:
    """Send one request, and read what comes."""
    head = b"\r\n".join([b"POST %b HTTP/1.1" % target, b"Host: a", b"Connection: close", *lines])
    exchange(port, b"%b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body))


def exchange(port: int, data: bytes) -> None:
    """Send bytes, end our side, and read to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock, suppress(ConnectionError):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65_536):
            pass


def shown(process: Driftgauge) -> str:
    """All that a process says of itself."""
    pages = [get(f"{process.admin_url}{path}").decode() for path in ("/metrics", "/status")]
    return "\n".join([process.stderr, *pages])


def found(text: str) -> list[str]:
    """The lines of a text with the marker, the number, or the marker in base64."""
    words = (MARKER, NUMBER, base64.b64encode(MARKER.encode()).decode()[:12])
    return [line for line in text.splitlines() if any(word in line for word in words)]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_logger(tmp_path: Path, log_format: str) -> None:
    """Events that cannot be used, decoded, sent on or read leave lines without their values."""
    (tmp_path / "wine.csv").write_text(REFERENCE)
    away = f"http://user:{MARKER}@127.0.0.1:{free_port()}/?token={MARKER}"
    flags = ("--reference-dir", tmp_path, "--log-level=debug", f"--log-format={log_format}", "--pair-ttl-seconds=1")
    env = {"DRIFTGAUGE_FORWARD_URL": away, "DRIFTGAUGE_FORWARD_TIMEOUT_SECONDS": "0.5"}
    with Driftgauge("logger", *flags, env=env) as logger:
        for kind in ("request", "response"):
            for number, body in enumerate(bodies(kind)):
                event = Event(
                    kind, body, f"{kind}{number}", inference_service="wine", namespace="", metadata=f"{{{MARKER}"
                )
                lines = [f"{name}: {value}".encode() for name, value in event.headers().items()]
                post(logger.port, b"/" + MARKER.encode(), lines, body)
        for fault in (
            b"Ce-Type: " + MARKER.encode(),
            b"Ce-Time: " + MARKER.encode(),
            b"Ce-Specversion: " + MARKER.encode(),
        ):
            name = fault.partition(b":")[0]
            event = Event("request", MARKER.encode())
            lines = [f"{key}: {value}".encode() for key, value in event.headers().items() if key.encode() != name]
            post(logger.port, b"/", [*lines, fault], MARKER.encode())
        for content_type, body in structured():
            post(logger.port, b"/", [b"Content-Type: " + content_type], body)
        for port in (logger.port, logger.admin_port):
            for request in broken_requests(b"/"):
                exchange(port, request)
        logger.wait_for(
            lambda s: (
                s.total("driftgauge_payloads_total", outcome="rejected") > 60
                and s.total("driftgauge_forwarded_events_total", reason="unreachable") > 60
            ),
            "rejected and lost events",
        )
        assert [] == found(shown(logger))
        assert "was rejected as" in logger.stderr
        logger.terminate()
        assert [] == found(logger.stderr)


def test_proxy(tmp_path: Path) -> None:
    """Requests and responses that cannot be used, and a model server that fails, leave lines without their values."""
    (tmp_path / "wine.csv").write_text(REFERENCE)
    identity = ("--inference-service=wine", "--reference", tmp_path / "wine.csv", "--log-level=debug")
    target = b"/v1/models/wine:predict"
    responses = iter([*bodies("response")] * 2)
    with (
        EchoModel(response=lambda _: next(responses, MARKER.encode())) as model,
        Driftgauge("proxy", "--upstream-url", model.url, *identity) as proxy,
    ):
        for body in [*bodies("request"), *bodies("request")]:
            post(proxy.port, target, [b"X-Key: " + MARKER.encode()], body)
        for port in (proxy.port, proxy.admin_port):
            for request in broken_requests(target):
                exchange(port, request)
        proxy.wait_for(lambda s: s.total("driftgauge_payloads_total", outcome="rejected") > 40, "rejected payloads")
        assert [] == found(shown(proxy))
        assert "was rejected as" in proxy.stderr


@pytest.mark.parametrize(
    "response",
    [
        MARKER.encode(),
        b"HTTP/1.1 200 OK\r\nX: " + MARKER.encode() + b"\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + MARKER.encode() + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + MARKER.encode() + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + MARKER.encode(),
        b"",
    ],
)
def test_broken_response(response: bytes) -> None:
    """A response that is no HTTP, or ends too early, leaves a line without its bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with Driftgauge("proxy", "--upstream-url", url, "--log-level=debug") as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as client:
                client.sendall(REQUEST)
                upstream, _ = server.accept()
                with upstream:
                    upstream.recv(65_536)
                    upstream.sendall(response)
                while client.recv(65_536):
                    pass
            proxy.wait_for(lambda s: s.total("request_error_count") >= 1, "the failed request")
            assert [] == found(shown(proxy))
