"""The command `reference capture`: a window is fetched, shown, and written once a person says yes."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from driftgauge.cli.reference_capture import Terminal, WindowAddress, run_capture
from driftgauge.drift.profile import FeatureKind
from driftgauge.reference.dataset import load_reference
from driftgauge.reference.formats.driftgauge_npz import packed
from driftgauge.reference.table import Table

WINDOW = packed(
    Table(Path("window"), ("a", "b"), (FeatureKind.NUMERIC,) * 2, np.arange(8.0).reshape(4, 2), ordered=True)
)


class _Handler(BaseHTTPRequestHandler):
    """Responds as the admin port does, and records the requests."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = WINDOW
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is http.server's
        """Say nothing."""


@pytest.fixture
def admin() -> Iterator[tuple[str, type[_Handler]]]:
    """The address of an admin port, and its manners."""

    class Handler(_Handler):
        """One of its own, since manners and questions are the class's."""

        asked: ClassVar[list[str]] = []

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", Handler
        server.shutdown()
        thread.join()


def capture(url: str, output: Path, reply: str | None = "yes\n") -> tuple[int, str, str]:
    """Exit code, output and faults; without replies the command asks no question."""
    out, err = io.StringIO(), io.StringIO()
    window = WindowAddress(url, "prod", "wine", "predictor", "wine&red")
    code = run_capture(window, output, Terminal(reply is not None, io.StringIO(reply), out, err))
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("reply", ["yes\n", " YES \n", None])
def test_a_window_becomes_a_reference(tmp_path: Path, admin: tuple[str, type[_Handler]], reply: str | None) -> None:
    """After a yes, or with the flag that gives it beforehand; the file is what was shown."""
    output = tmp_path / "reference.npz"
    code, out, err = capture(f"{admin[0]}/", output, reply)

    assert (0, "") == (code, err)
    assert WINDOW == output.read_bytes()
    assert f"{output}: 4 rows, sha256 {load_reference(output, 0.0).digest}\n" in out
    assert (reply is not None) is ("Use these 4 rows as reference? Type yes: " in out)
    (asked,) = admin[1].asked
    query = {"namespace": ["prod"], "inference_service": ["wine"], "component": ["predictor"]}
    assert ("/window", query | {"model_name": ["wine&red"]}) == (urlsplit(asked).path, parse_qs(urlsplit(asked).query))


@pytest.mark.parametrize("reply", ["no\n", "y\n", ""])
def test_without_a_yes_nothing_is_written(tmp_path: Path, admin: tuple[str, type[_Handler]], reply: str) -> None:
    """Anything else is no, the end of the input too."""
    output = tmp_path / "reference.npz"
    code, _, err = capture(admin[0], output, reply)

    assert (1, f"{output}: not written\n") == (code, err)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (403, b"set allow_capture to allow it\n", ": 403: set allow_capture to allow it\n"),
        (404, b"\x1b[2J", ": 404: '\\x1b[2J'\n"),
        (200, b"PK", "reference.npz: this is not an NPZ file\n"),
        (200, b"", "reference.npz: this is not an NPZ file\n"),
    ],
)
def test_a_refusal_is_printed(
    tmp_path: Path, admin: tuple[str, type[_Handler]], status: int, body: bytes, sentence: str
) -> None:
    """Exit code 2 and the sentence of the admin port, with control characters escaped."""
    admin[1].status, admin[1].body = status, body
    code, out, err = capture(admin[0], tmp_path / "reference.npz")

    assert (2, "") == (code, out)
    assert err.endswith(sentence)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:1", "no response: [Errno 111] Connection refused"),
        ("http://127.0.0.1:x", "no response: nonnumeric port: 'x'"),
        ("file:///etc", "the admin URL must begin with http:// or https://"),
    ],
)
def test_no_server(tmp_path: Path, url: str, sentence: str) -> None:
    """Only HTTP URLs are requested, and no response is a fault."""
    code, _, err = capture(url, tmp_path / "reference.npz")

    assert 2 == code
    assert err.endswith(f"{sentence}\n")
