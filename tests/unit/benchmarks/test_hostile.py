"""The table of hostile messages: its figures, its bodies, and the marks in its document."""

from pathlib import Path

import pytest

from benchmarks.__main__ import document_of
from benchmarks.hostile.datasets import body_of, names_of
from benchmarks.hostile.effect import Effect, Latency, Phase, Usage, effect
from benchmarks.hostile.messages import LIMIT_BYTES, Data, chunked, instances, post
from driftgauge.config.options import ProxyConfig
from driftgauge.inference.payload import Kind
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import Limits

PHASES = [Phase(0.0, 1.0, is_loaded=False), Phase(1.0, 2.0, is_loaded=True)]


def test_effect_compares_the_phases() -> None:
    """A request is in the phase in which it was due; the median is of those due while the process was busy."""
    latencies = [Latency(0.5, 0.002), Latency(0.9, 0.004), Latency(1.2, 0.032), Latency(1.21, 0.018), Latency(1.9, 0.1)]
    usage = [Usage(0.0, 0.0, 50.0), Usage(0.99, 0.01, 51.0), Usage(1.3, 0.3, 120.0), Usage(2.0, 0.31, 60.0)]

    found = effect(latencies, usage, PHASES)

    assert found == Effect(0.002, 0.004, 0.032, 0.1, 0.025 - 0.003, 69.0)


def test_latencies_are_medians_of_the_rounds() -> None:
    """A stall of another program in one of three rounds changes no figure."""
    phases = [Phase(at + one.start, at + one.end, one.is_loaded) for at in (0, 2, 4) for one in PHASES]
    usual = [Latency(phase.start + 0.01, 0.003) for phase in phases]
    stalls = [Latency(2.5, 0.4), Latency(5.5, 0.5)]

    found = effect([*usual, *stalls], [Usage(0.0, 0.0, 1.0)], phases)

    assert (found.quiet_longest, found.longest, found.median_more) == (0.003, 0.003, 0.0)


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        (Effect(0.0, 0.001, 0.0, 0.021, 0.005, 64.0), ()),
        (Effect(0.0, 0.001, 0.0, 0.022, 0.005, 64.0), ("longest",)),
        (Effect(0.0, 0.001, 0.0, 0.001, 0.006, 64.1), ("median", "memory")),
    ],
)
def test_the_promise_is_20_ms_5_ms_and_64_megabytes(found: Effect, broken: tuple[str, ...]) -> None:
    """Each part that was not kept is named; the longest latency counts beside the longest without the message."""
    assert found.broken() == broken


@pytest.mark.parametrize("data", Data)
def test_long_bodies_are_valid_and_as_long_as_the_limit_allows(data: Data) -> None:
    """Numbers, texts and rows by name of 4 MB are decoded with the default limits, as any user's would be."""
    body = body_of(data)
    found = decode(body, Kind.REQUEST, json_length=None, limits=Limits(LIMIT_BYTES), columns=frozenset(names_of(data)))

    assert LIMIT_BYTES - 1_000 < len(body) <= LIMIT_BYTES
    assert len(found.tensors) >= 1


def test_the_limit_is_the_default_of_the_option() -> None:
    """Bodies are as long as an operator's proxy takes them who sets nothing."""
    assert ProxyConfig.model_fields["max_payload_bytes"].default == LIMIT_BYTES


def test_instances_fill_the_size() -> None:
    """No byte more than the limit, and no place for one more item."""
    body = instances(b"[]", 100)

    assert 97 < len(body) <= 100
    assert body.startswith(b'{"instances":[[],[],')


def test_chunks_hold_the_same_body() -> None:
    """A request in chunks has no Content-Length, and ends with the last chunk."""
    wire = chunked(post("/", b"abc"), 2)

    assert wire.endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert b"Content-Length" not in wire


def test_a_table_goes_into_the_document_that_has_its_marks(tmp_path: Path) -> None:
    """Several documents may be given; a table without marks in any of them is an error."""
    documents = [tmp_path / "a.md", tmp_path / "b.md"]
    documents[0].write_text("<!-- begin: one --><!-- end: one -->")
    documents[1].write_text("<!-- begin: two --><!-- end: two -->")

    assert document_of("two", documents) == documents[1]
    with pytest.raises(ValueError, match="no document has marks for three"):
        document_of("three", documents)
