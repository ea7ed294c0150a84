"""The forms of labels, by example."""

import math

import pytest

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.label_bodies import read_labels
from driftgauge.protocol.label_collector import LabelCollector
from driftgauge.protocol.label_values import Label


def read(body: bytes, media_type: str = "application/json", default_id: str = "") -> LabelCollector:
    """What is read of a body."""
    into = LabelCollector(default_id)
    read_labels(body, media_type, into)
    return into


def label(number: float | None, text: str, row: int = 0, output: str | None = None) -> Label:
    """A label of the inference 4711 without a time."""
    return Label("4711", row, output, number, text, None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id": "4711", "label": 6}', [label(6, "6")]),
        (b'{"id": 4711, "label": "6.0"}', [label(6, "6")]),
        (b'{"id": "4711", "label": true}', [label(1, "true")]),
        (b'{"id": "4711", "label": "good"}', [label(None, "good")]),
        (b'{"id": "4711", "label": 1e999}', [label(None, "inf")]),
        (b'{"id": "4711", "label": -1e100}', [label(-1e100, str(int(-1e100)))]),
        (b'{"id": "4711", "label": "1.1e100"}', [label(None, "1.1e100")]),
        (b'{"id": "4711", "label": null}', []),
        (b'{"id": "4711", "labels": [6, null, 5]}', [label(6, "6"), label(5, "5", 2)]),
        (b'{"id": "4711", "row": 2, "label": 7}', [label(7, "7", 2)]),
        (
            b'{"id": "4711", "label": {"quality": 6, "price": 9.5, "age": null}}',
            [label(6, "6", 0, "quality"), label(9.5, "9.5", 0, "price")],
        ),
        (b'{"id": "4711", "labels": [null, {"quality": 6}]}', [label(6, "6", 1, "quality")]),
        (b'{"id": "4711", "output": "quality", "labels": ["x"]}', [label(None, "x", 0, "quality")]),
        (
            b'{"id": "4711", "outputs": [{"name": "a", "datatype": "BOOL", "shape": [2, 1], "data": [true, false]}]}',
            [label(1, "true", 0, "a"), label(0, "false", 1, "a")],
        ),
        (
            b'{"id": "4711", "outputs": [{"name": "b", "datatype": "BYTES", "shape": [2], "data": ["x", null]}]}',
            [label(None, "x", 0, "b")],
        ),
    ],
)
def test_json(body: bytes, expected: list[Label]) -> None:
    """Each form gives its labels, and leaves out those that are not known yet."""
    found = read(body)
    assert (expected, 0) == (found.labels, found.malformed)


def test_sagemaker() -> None:
    """A record of SageMaker has the caller's id if there is one, else the endpoint's (AWS, model quality merge)."""
    lines = (
        b'{"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"4711"},"eventVersion":"0"}\n'
        b'{"groundTruthData":{"data":"0"},"eventMetadata":{"eventId":"x","inferenceId":"4711"},"eventVersion":"0"}\n'
    )
    assert [label(1, "1"), label(0, "0")] == read(lines, "application/jsonl").labels


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [
        ("{}", "The object: its groundTruthData has no data; null is a label that is not known yet."),
        (
            '{"data": "NQ==", "encoding": "BASE64"}',
            "The object: its groundTruthData has another encoding than CSV or JSON.",
        ),
        (
            '{"data": "5", "encoding": ["CSV"]}',
            "The object: its groundTruthData has another encoding than CSV or JSON.",
        ),
    ],
)
def test_sagemaker_without_a_label(truth: str, sentence: str) -> None:
    """A record that has no data, or data in base64, is malformed as an object without a label is."""
    found = read(b'{"groundTruthData": %s, "eventMetadata": {"eventId": "4711"}}' % truth.encode())
    assert ([sentence], 1, []) == (found.sentences, found.malformed, found.labels)


@pytest.mark.parametrize("truth", ["null", '{"data": null}', '{"data": null, "encoding": "JSON"}'])
def test_sagemaker_not_known_yet(truth: str) -> None:
    """Null is left out, as in every form."""
    found = read(b'{"groundTruthData": %s, "eventMetadata": {"eventId": "4711"}}' % truth.encode())
    assert (0, []) == (found.malformed, found.labels)


def test_csv() -> None:
    """A byte order mark, quotes, empty lines, empty optional cells and labels that are not known yet are read."""
    body = b'\xef\xbb\xbfid,label,row,output,time\r\n4711,"6,5",2,,\r\n\r\n4711,,,,\r\n"4711",6,,quality,1772366400\r\n'
    found = read(body, "text/csv")
    assert [label(None, "6,5", 2), label(6, "6", 0, "quality")._replace(time=1772366400.0)] == found.labels
    assert 0 == found.malformed


@pytest.mark.parametrize(
    ("text", "seconds"),
    [('"2026-03-01T12:00:00Z"', 1772366400.0), ("1772366400", 1772366400.0), ("1772366400123", 1772366400.123)],
)
def test_time(text: str, seconds: float) -> None:
    """A time may be RFC 3339, seconds, or milliseconds."""
    assert [seconds] == [one.time for one in read(b'{"id": 1, "label": 2, "time": %s}' % text.encode()).labels]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'[{"label": 1}]', "Item 1: it has no id."),
        (b'[{"id": true, "label": 1}]', "Item 1: its id is neither a text nor a whole number."),
        (b'[{"id": "%s", "label": 1}]' % (b"x" * 257), "Item 1: its id has more than 256 characters."),
        (b'[{"id": "1"}]', "Item 1: it must have one of label, labels and outputs."),
        (b'[{"id": "1", "label": NaN}]', "Item 1: its label is NaN."),
        (b'[{"id": "1", "label": ""}]', "Item 1: its label is empty."),
        (b'[{"id": "1", "labels": [1, [2]]}]', "Item 1, row 1: its label is neither a number, a text nor a bool."),
        (b'[{"id": "1", "label": 1, "row": 1.5}]', "Item 1: its row is no whole number from 0 to 4194303."),
        (b'[{"id": "1", "labels": [1], "row": 1}]', "Item 1: it has a row beside labels, which has all rows."),
        (
            b'[{"id": "1", "outputs": [{"name": "p", "datatype": "FP64", "shape": [1, 2], "data": [0.1, 0.9]}]}]',
            "Item 1, output 'p': its shape is [1, 2], and a row has one label.",
        ),
    ],
)
def test_sentences(body: bytes, sentence: str) -> None:
    """What is malformed gets one sentence that names the item and the rule."""
    found = read(body)
    assert ([sentence], 1) == (found.sentences, found.malformed)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"id,label\n1", "Line 2: it has 1 cells, and the header 2."),
        (b"id,label\n\xff,2\n", "Line 2: it is not UTF-8."),
        (b'id,label\n"x,2\n', "Line 2: it has 1 cells, and the header 2."),
    ],
)
def test_sentences_of_csv(body: bytes, sentence: str) -> None:
    """A malformed line gets one sentence that names the line."""
    assert [sentence] == read(body, "text/csv").sentences


@pytest.mark.parametrize(
    ("body", "media_type", "reason", "part"),
    [
        (b"", "application/json", Reason.MALFORMED, "The body is empty."),
        (b"{", "application/json", Reason.MALFORMED, "not JSON"),
        (b"", "text/csv", Reason.MALFORMED, "it lacks id, label"),
        (b"id,label,weight\n", "text/csv", Reason.MALFORMED, "The column 'weight' is unknown"),
        (b"id,label,id\n", "text/csv", Reason.MALFORMED, "twice"),
        (b"id,label\n", "application/x-www-form-urlencoded", Reason.UNSUPPORTED, "The content type of labels must be"),
        (b"id,label\n", "", Reason.UNSUPPORTED, "it is missing"),
    ],
)
def test_refused(body: bytes, media_type: str, reason: Reason, part: str) -> None:
    """A body of which nothing can be read is refused, and the sentence says why."""
    with pytest.raises(PayloadError) as caught:
        read(body, media_type)
    assert reason is caught.value.reason
    assert part in str(caught.value)


@pytest.mark.parametrize("line", [b"\n", b"4711,\n"])
def test_lines_without_a_label_pause_and_are_bounded(line: bytes) -> None:
    """Five for each label that a body may have are read, with a pause after each 32; one more refuses the body."""
    pauses: list[None] = []
    into = LabelCollector(pause=lambda: pauses.append(None), limit=64)
    most = 5 * 64
    read_labels(b"id,label\n" + line * most, "text/csv", into)
    assert most // 32 == len(pauses)
    with pytest.raises(PayloadError, match="more than 320 lines: leave out those without a label") as caught:
        read_labels(b"id,label\n" + line * (most + 1), "text/csv", into)
    assert Reason.TOO_COMPLEX is caught.value.reason


@pytest.mark.parametrize(
    ("head", "line", "kind", "labels"),
    [
        (b"id,label\n", b"4711,6\n", "text/csv", 64),
        (b"", b'{"id": 4711, "label": 6}\n', "application/jsonl", 64),
        (b"id,label\n", b"4711,6\n" * 2, "text/csv", 0),
    ],
)
def test_a_refusal_costs_no_more_than_the_limit(head: bytes, line: bytes, kind: str, labels: int) -> None:
    """Nothing is read after the label that is one too many, and nothing at all of a body of too many lines."""
    pauses: list[None] = []
    into = LabelCollector(pause=lambda: pauses.append(None), limit=64)
    with pytest.raises(PayloadError, match="more than"):
        read_labels(head + line * 300, kind, into)
    assert labels == len(into.labels)
    assert len(pauses) <= 2 * labels // 32 + 1


def test_default_id() -> None:
    """Labels without an id have that of the event around them, in CSV too; an own id wins."""
    assert ["e", "2"] == [one.id for one in read(b'[{"label": 1}, {"id": 2, "label": 1}]', default_id="e").labels]
    assert ["e"] == [one.id for one in read(b"id,label\n,1", "text/csv", "e").labels]


def test_numbers_beyond_doubles_are_categories_alone() -> None:
    """A whole number that no double holds has a text and no number."""
    found = read(b'{"id": "4711", "label": %d}' % 10**400).labels
    assert [None] == [one.number for one in found]
    assert str(10**400) == found[0].text
    assert not any(one.number is not None and math.isinf(one.number) for one in found)
