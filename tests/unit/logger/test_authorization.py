"""The logger with tokens: who may send events, and what is kept of those who may not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from driftgauge.app.trust import Guard
from driftgauge.metrics.loss_log import LossLog
from driftgauge.metrics.registry import Metrics
from driftgauge.server.tokens import Tokens
from tests.support.listening_receiver import ListeningReceiver, headers
from tests.support.raw_client import Wire

TOKEN = "correct-token"  # noqa: S105 - of a test
BODY = b'{"instances": [[1.0, 2.0]]}'


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[ListeningReceiver]:
    """A receiver that asks for a token."""
    file = tmp_path / "tokens"
    file.write_text(TOKEN)
    metrics = Metrics("")
    guard = Guard("data", Tokens("token_file", file, None), metrics, LossLog())
    post = ListeningReceiver(authorize=guard.admits_head, metrics=metrics)
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


def refused(metrics: Metrics) -> float | None:
    """How many requests were refused."""
    return metrics.registry.get_sample_value("driftgauge_unauthorized_requests_total", {"port": "data"})


def event(target: str = "/", more: str = "", body: bytes = BODY) -> bytes:
    """The bytes of an event."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers().items())
    return f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n{lines}{more}\r\n".encode() + body


async def respond(post: ListeningReceiver, *requests: bytes) -> list[bytes]:
    """Send requests on one connection; returns the heads of the responses."""
    wire = await Wire.connect(int(post.url.rpartition(":")[2].strip("/")))
    heads = []
    for request in requests:
        wire.send(request)
        heads.append(await wire.until(b"\r\n\r\n"))
        (length,) = [int(line[15:]) for line in heads[-1].lower().split(b"\r\n") if line.startswith(b"content-length")]
        await wire.exactly(length)
    await wire.close()
    return heads


async def test_senders_with_a_token(post: ListeningReceiver) -> None:
    """A token in the header or in the query lets events in."""
    sent = [event(more=f"Authorization: Bearer {TOKEN}\r\n"), event(f"/x?access_token={TOKEN}")]
    assert [b"HTTP/1.1 200 OK"] * 2 == [head.partition(b"\r\n")[0] for head in await respond(post, *sent)]
    assert (2, 0) == (len(post.payloads), refused(post.metrics))


async def test_senders_without(post: ListeningReceiver) -> None:
    """Others get 401 with a challenge, are counted, start no series, and keep their connection for another attempt."""
    sent = [event(), event(more="Authorization: Bearer wrong\r\n"), event("/?access_token=wrong")]
    good = event(more=f"Authorization: Bearer {TOKEN}\r\n")
    *heads, last = await respond(post, *sent, good)
    assert [b"HTTP/1.1 401 Unauthorized"] * 3 == [head.partition(b"\r\n")[0] for head in heads]
    assert all(b'\r\nWWW-Authenticate: Bearer realm="driftgauge"\r\n' in head for head in heads)
    assert last.startswith(b"HTTP/1.1 200 OK")
    assert (1, 3, None) == (len(post.payloads), refused(post.metrics), post.rejected("malformed"))


async def test_long_body_is_not_waited_for(post: ListeningReceiver) -> None:
    """The long body of an unknown sender is refused before its end, and nothing of it is kept."""
    before = post.budget_bytes
    (head,) = await respond(post, event(body=b"x" * 200_000)[:150_000])
    assert head.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: close\r\n" in head
    assert before == post.budget_bytes


async def test_expect_continue(post: ListeningReceiver) -> None:
    """An unknown sender who asks before it sends gets 401 instead of 100."""
    head_alone = event(more="Expect: 100-continue\r\n").removesuffix(BODY)
    (head,) = await respond(post, head_alone)
    assert head.startswith(b"HTTP/1.1 401 ")


async def test_probe_needs_no_token(post: ListeningReceiver) -> None:
    """A GET says what listens here, without a token."""
    (head,) = await respond(post, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")


async def test_no_token_in_the_log(post: ListeningReceiver, caplog: pytest.LogCaptureFixture) -> None:
    """One line a minute says what is wrong; it has no token, neither a wrong one nor a valid one."""
    await respond(post, event("/?access_token=s3cret"), event(f"/?access_token={TOKEN}"), event())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "a request to the data port was refused with 401: it presents a token that is not valid"
