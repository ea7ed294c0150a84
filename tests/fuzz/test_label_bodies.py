"""Changed and random bodies of labels: each is read, or refused with one error, within its limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.label_bodies import read_labels
from driftgauge.protocol.label_collector import MAX_LABELS, SENTENCES, LabelCollector

TYPES = ("text/csv", "application/json", "application/jsonl", "text/plain", "application/cloudevents+json")
SEEDS = (
    b"id,label,row,output,time\n4711,6,0,quality,2026-03-01T12:00:00Z\n",
    b'{"id": "4711", "labels": [6, null, 5]}\n{"id": 4712, "label": {"quality": true}}\n',
    b'{"id":"1","outputs":[{"name":"q","datatype":"BYTES","shape":[2],"data":["a",null]}]}',
    b'{"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"a"},"eventVersion":"0"}',
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A seed with a few bytes replaced, removed or repeated."""
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=8))
    return bytes(body) * draw(st.integers(1, 3))


def _read(body: bytes, media_type: str, into: LabelCollector) -> PayloadError | None:
    try:
        read_labels(body, media_type, into)
    except PayloadError as error:
        return error
    return None


@given(st.one_of(changed(), st.binary(max_size=300)), st.sampled_from(TYPES))
def test_every_body_is_read_or_refused(body: bytes, media_type: str) -> None:
    """Nothing but an error of the body is raised, and every label has an id, a row, a text and a finite number."""
    into = LabelCollector()
    error = _read(body, media_type, into)
    assert error is None or error.reason in {Reason.MALFORMED, Reason.UNSUPPORTED, Reason.TOO_COMPLEX}
    assert "\n" not in str(error)
    assert min(into.malformed, SENTENCES) == len(into.sentences)
    for label in into.labels:
        assert label.id
        assert label.text
        assert label.row >= 0
        assert label.number is None or abs(label.number) < float("inf")
        f"{label}".encode()


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/csv", b"id,label\n" + b"1,1\n" * (MAX_LABELS + 1)),
        ("text/csv", b"id,label\n" + b"1\n" * (MAX_LABELS + 1)),
        ("application/jsonl", b"3\n" * (MAX_LABELS + 1)),
        ("application/json", b"[" + b"3," * MAX_LABELS + b"3]"),
        ("application/json", b'{"id":"1","labels":[' + b"3," * MAX_LABELS + b"3]}"),
        ("application/json", b"[" + b"{}," * 100_000 + b"3]"),
    ],
)
def test_too_many_labels(media_type: str, body: bytes) -> None:
    """A body with more labels than the limit is refused, whether or not they are malformed."""
    into = LabelCollector()
    with pytest.raises(PayloadError) as caught:
        read_labels(body, media_type, into)
    assert Reason.TOO_COMPLEX is caught.value.reason
    assert len(into.labels) + into.malformed <= MAX_LABELS
