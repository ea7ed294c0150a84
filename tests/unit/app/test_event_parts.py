"""The files of the options of events: certificates that are trusted, and the token."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from driftgauge.app.event_parts import EventParts, trusted_context
from driftgauge.config.load import load
from driftgauge.errors import ConfigError
from driftgauge.events.event_target import EventReply, EventTarget
from driftgauge.metrics.registry import Metrics
from driftgauge.results.latest import LatestEvaluations
from driftgauge.storage.memory import MemoryStates
from tests.support.certificates import Authority


def make(**flags: str) -> EventParts:
    """The parts of a process with these options."""
    config = load("proxy", flags)
    latest = LatestEvaluations(90)
    return EventParts(
        config, "http://a", MemoryStates(), metrics=Metrics("200"), latest=latest, outcomes=None, clock=lambda: 0.0
    )


@pytest.mark.parametrize("option", ["event_ca_file", "event_ca"])
async def test_certificates(option: str, tmp_path: Path) -> None:
    """A receiver whose certificate an authority of the options has signed is trusted; without it, it is not."""
    authority = Authority.make(tmp_path)
    certificate, key = authority.sign("localhost")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accept one event."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 202 Yes\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(respond, "localhost", 0, ssl=served)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
    value = str(authority.file) if option == "event_ca_file" else authority.file.read_text()
    contexts = (trusted_context(load("proxy", {option: value})), trusted_context(load("proxy", {})))
    replies = []
    for context in contexts:
        target = EventTarget(url, context=context)
        replies.append((await target.send({}, b"")).reply)
        await target.close()
    server.close()
    assert [EventReply.ACCEPTED, EventReply.LATER] == replies


@pytest.mark.parametrize(
    ("content", "option", "sentence"),
    [
        ("", "event_token_file", "must hold one token"),
        ("a b", "event_token_file", "must hold one token"),
        ("no certificate", "event_ca_file", "event_ca_file: holds no certificates in PEM form"),
    ],
)
def test_unusable_files(content: str, option: str, sentence: str, tmp_path: Path) -> None:
    """A process with such a file does not start."""
    file = tmp_path / "file"
    file.write_text(content)
    with pytest.raises(ConfigError, match=sentence):
        make(**{option: str(file)})


def test_a_token_is_read_again(tmp_path: Path) -> None:
    """A file that changes has the token of the next event."""
    file = tmp_path / "token"
    file.write_text("one\n")
    (token,) = make(event_token_file=str(file)).files
    file.write_text("two\n")
    token.reload()
    value: Any = getattr(token, "value", None)
    assert "two" == value
