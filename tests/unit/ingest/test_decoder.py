"""Payloads that are decoded as a batch give the rows that each payload alone gives."""

import asyncio
import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftgauge.errors import PayloadError, Reason
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import Kind, Payload
from driftgauge.ingest.decoder import Decoder, DecodeResult
from driftgauge.ingest.row_reader import DecodedRows, read_body
from driftgauge.protocol.category import code
from driftgauge.protocol.limits import Limits
from driftgauge.reference.column import ColumnRules
from driftgauge.reference.store import ReferenceStore
from tests.support.changed_payloads import changed
from tests.support.models import IRIS, WINE

PLAIN = "alcohol,ph\n9.5,3.1\n10.5,3.3\n"
MIXED = "alcohol,day,colour\n9.5,2026-03-01,red\n10.5,2026-03-02,white\n"
PREDICTED = "alcohol,ph,prediction:label,prediction:score\n9.5,1,red,0.5\n10.5,2,white,0.25\n"


def decoder(tmp_path: Path, reference: str = PLAIN, window_rows: int = 100) -> Decoder:
    """A decoder with a reference of `WINE`."""
    (tmp_path / "wine.csv").write_text(reference)
    references = ReferenceStore(None, tmp_path)
    references.refresh(0.0)
    return Decoder(references, OutputColumns(), 2**20, window_rows)


def payload(message: object, kind: Kind) -> Payload:
    """A payload of `WINE`."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Payload(kind, "1", WINE, body, None, 200, 1.0)


def alone(one: Decoder, payload: Payload) -> DecodeResult:
    """The result of a payload that is decoded alone."""
    return asyncio.run(one.decode(payload))


def summed(results: list[DecodeResult]) -> dict[str, object] | None:
    """The sum of some results; `None` if not all are rows of one schema."""
    tables = [result.rows for result in results if isinstance(result.rows, DecodedRows)]
    if len(tables) < len(results) or len({rows.schema for rows in tables}) != 1:
        return None
    return {
        "columns": tables[0].columns,
        "values": np.concatenate([rows.values for rows in tables]).tobytes(),
        "missing": np.sum([rows.missing for rows in tables], axis=0).tolist(),
        "count": sum(rows.count for rows in tables),
        "requests": np.concatenate([rows.requests for rows in tables]).tolist(),
        "reported": [count for result in results for count in result.row_counts],
    }


NUMBERS = st.none() | st.floats(-10, 10) | st.integers(0, 3)
TEXTS = st.sampled_from(["red", "white", "", "rosé", "NaN"])
SCORES = st.sampled_from([[0.25, 0.75], [1.0, 0.0], [0.5, 0.4], [2.0, -1.0]])


def lists(member: str, rows: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Some messages of the same kind of rows."""
    return st.lists(st.lists(rows, max_size=3).map(lambda found: {member: found}), min_size=2, max_size=5)


def same(before: Decoder, after: Decoder, messages: list[Any], kind: Kind) -> None:
    """Assert that a batch, if it can be decoded, gives the rows of the single payloads."""
    payloads = [payload(message, kind) for message in messages]
    found = after.decode_batch(payloads)
    if found is not None:
        assert summed([alone(before, one) for one in payloads]) == summed([found])


CHECKS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@CHECKS
@given(lists("instances", st.lists(NUMBERS, min_size=2, max_size=2) | st.lists(NUMBERS, max_size=3)))
def test_requests_of_numbers(tmp_path: Path, messages: list[Any]) -> None:
    """Rows by position give the same in a batch."""
    one = decoder(tmp_path)
    same(one, one, messages, Kind.REQUEST)


@CHECKS
@given(lists("instances", st.tuples(NUMBERS, TEXTS, TEXTS).map(list)))
def test_requests_with_categories(tmp_path: Path, messages: list[Any]) -> None:
    """Text, and a column that the reference ignores, give the same in a batch."""
    one = decoder(tmp_path, MIXED)
    same(one, one, messages, Kind.REQUEST)


@CHECKS
@given(lists("predictions", NUMBERS) | lists("predictions", TEXTS | NUMBERS) | lists("predictions", SCORES))
def test_responses_without_predictions_in_the_reference(tmp_path: Path, messages: list[Any]) -> None:
    """Numbers, labels and scores, whose columns each decoder records as it decodes them, give the same in a batch."""
    same(decoder(tmp_path), decoder(tmp_path), messages, Kind.RESPONSE)


@CHECKS
@given(lists("predictions", st.fixed_dictionaries({"label": TEXTS, "score": NUMBERS})))
def test_responses_with_predictions_in_the_reference(tmp_path: Path, messages: list[Any]) -> None:
    """Rows by name give the same in a batch."""
    one = decoder(tmp_path, PREDICTED)
    same(one, one, messages, Kind.RESPONSE)


def test_usual_traffic_is_decoded_as_a_batch(tmp_path: Path) -> None:
    """Payloads of one shape need no decoding one by one."""
    one = decoder(tmp_path)
    asked = one.decode_batch([payload({"instances": [[9, 3]]}, Kind.REQUEST) for _ in range(10)])
    responded = one.decode_batch([payload({"predictions": [0.5]}, Kind.RESPONSE) for _ in range(10)])

    assert asked is not None
    assert responded is not None
    assert [1] * 10 == asked.row_counts == responded.row_counts


NO_BATCH = {
    "malformed": [{"instances": [[1, 2]]}, b"{"],
    "wrong width": [{"instances": [[1, 2, 3]]}] * 2,
    "more rows than a window": [{"instances": [[1, 2]] * 5}] * 2,
}


@pytest.mark.parametrize("messages", NO_BATCH.values(), ids=NO_BATCH)
def test_payloads_that_need_decoding_one_by_one_are_no_batch(tmp_path: Path, messages: list[Any]) -> None:
    """A payload with an error, or with more rows than a window, is decoded alone."""
    one = decoder(tmp_path, window_rows=4)

    assert one.decode_batch([payload(message, Kind.REQUEST) for message in messages]) is None


def test_a_long_payload_gives_its_newest_rows(tmp_path: Path) -> None:
    """The count includes all rows."""
    found = alone(
        decoder(tmp_path, window_rows=4), payload({"instances": [[n, n] for n in range(6)]}, Kind.REQUEST)
    ).rows

    assert isinstance(found, DecodedRows)
    assert (6, [4], [[2, 2], [3, 3], [4, 4], [5, 5]]) == (found.count, found.requests.tolist(), found.values.tolist())


def test_reasons(tmp_path: Path) -> None:
    """A payload without rows has a reason."""
    one = decoder(tmp_path)
    unknown = changed(payload({"instances": [[1, 2]]}, Kind.REQUEST), model=IRIS)

    assert Reason.MALFORMED is alone(one, payload(b"{", Kind.REQUEST)).rows
    assert Reason.NO_REFERENCE is alone(one, unknown).rows


NAMED = {
    "scalars beside a vector that the reference lacks": [{"alcohol": 9.5, "ph": 3.1, "extra": [1, 2, 3]}],
    "a named vector": [{"dense_input": [9.5, 3.1]}],
    "a DataFrame of lists": [{"alcohol": [9.5], "ph": [3.1]}],
    "a DataFrame by index": [{"ph": {"0": 3.1}, "alcohol": {"0": 9.5}}],
    "values": [{"ph": 3.1, "alcohol": 9.5}],
}


@pytest.mark.parametrize("instances", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("number", [1, 3])
def test_each_form_of_a_row_by_name_gives_the_row(tmp_path: Path, instances: list[Any], number: int) -> None:
    """Alone and in a batch, each instance is one row of the reference's columns."""
    one = decoder(tmp_path)
    payloads = [payload({"instances": instances * number}, Kind.REQUEST) for _ in range(2)]
    results = [alone(one, each) for each in payloads]
    batch = one.decode_batch(payloads)

    for result in results:
        assert isinstance(result.rows, DecodedRows)
        assert [[9.5, 3.1]] * number == result.rows.values.tolist()
        assert [number] == list(result.row_counts)
    assert batch is None or summed([batch]) == summed(results)


def test_texts_in_base64_are_the_categories_that_they_encode(tmp_path: Path) -> None:
    """In a batch or alone, a text in base64 gives the category of the plain text."""
    one = decoder(tmp_path, "colour\nred\nwhite\n")

    def message(text: str, **parameters: object) -> Payload:
        tensor = {"name": "colour", "shape": [1, 1], "datatype": "BYTES", "data": [text], **parameters}
        return payload({"inputs": [tensor]}, Kind.REQUEST)

    packed = message(base64.b64encode(b"red").decode(), parameters={"content_type": "base64"})
    expected, found = alone(one, message("red")), alone(one, packed)

    assert isinstance(expected.rows, DecodedRows)
    assert isinstance(found.rows, DecodedRows)
    assert expected.rows.values.tolist() == found.rows.values.tolist()
    assert one.decode_batch([packed, packed]) is None


def test_whole_numbers_that_are_rounded_are_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a numeric column the nearest doubles are kept; a category keeps all digits and is not named."""
    one = decoder(tmp_path, "alcohol,colour\n9.5,red\n10.5,white\n")
    small = alone(one, payload({"instances": [[2**53 - 1, 2**53 + 1], [None, "red"]]}, Kind.REQUEST)).rows

    assert isinstance(small, DecodedRows)
    assert small.values[0].tolist() == [2.0**53 - 1, code(str(2**53 + 1))]
    assert caplog.messages == []

    large = [alone(one, payload({"instances": [[n, "red"], [None, 7]]}, Kind.REQUEST)).rows for n in (2**53 + 1, 2**60)]

    assert all(isinstance(rows, DecodedRows) for rows in large)
    (said,) = caplog.messages
    assert "column 'alcohol' of cellar/wine/predictor/wine has numbers of 2^53 and more" in said


def rows_of_text(number: int) -> dict[str, Any]:
    """A request with numbers, dates and categories."""
    return {"instances": [[index, "2026-03-01", ["red", "white"][index % 2]] for index in range(number)]}


HARD = {
    "rows of texts": rows_of_text(2_000),
    "rows by name": {"instances": [{"alcohol": index, "colour": "red"} for index in range(2_000)]},
    "a wide row": {"instances": [[0.5] * 20_000]},
    "columns": {"inputs": {"alcohol": list(range(20_000))}},
    "long rows of numbers": {"instances": [[index / 8, 1, 1] for index in range(50_000)]},
    "a literal of Python": b'{"instances":[' + b"[NaN,1,1]," * 5_000 + b"[1,1,1]]}",
}
EASY = {
    "a small body": rows_of_text(50),
    "numbers": {"instances": [[index, 1, 1] for index in range(5_000)]},
    "a medium body": rows_of_text(800),
    "many names": {"instances": [{f"name {index}": 1 for index in range(600)}]},
}


@pytest.mark.parametrize(
    ("message", "is_hard"), [*((m, True) for m in HARD.values()), *((m, False) for m in EASY.values())]
)
@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
@pytest.mark.long
async def test_only_a_body_that_needs_a_long_call_goes_to_the_child(
    tmp_path: Path, message: object, wrap: Callable[[bytes], bytes], *, is_hard: bool
) -> None:
    """The child exists after such a body alone, compressed or not; and its result is that of any other place."""
    one = decoder(tmp_path, MIXED)
    plain = payload(message, Kind.REQUEST)
    result = await one.decode(changed(plain, body=wrap(plain.body)))
    for _ in range(2):
        if is_hard and one.child_pid is None:  # a busy machine may not start the child within its time limit
            result = await one.decode(changed(plain, body=wrap(plain.body)))
    child = one.child_pid
    expected = read_body(plain.body, None, Limits(2**20), one.reader(WINE, Kind.REQUEST))
    await one.close()

    assert is_hard == (child is not None)
    assert [expected.count] == list(result.row_counts)
    if isinstance(expected.rows, PayloadError):
        assert expected.rows.reason is result.rows
    else:
        assert isinstance(result.rows, DecodedRows)
        np.testing.assert_array_equal(expected.rows.values, result.rows.values)
        np.testing.assert_array_equal(expected.rows.missing, result.rows.missing)


async def test_columns_found_by_the_child_are_recorded(tmp_path: Path) -> None:
    """The layout of a long response is known, as that of a short one is."""
    outputs = OutputColumns()
    one = Decoder(ReferenceStore(None, tmp_path), outputs, 2**20, 100)
    await one.decode(payload({"predictions": ["red", "white"] * 5_000}, Kind.RESPONSE))
    child, layout = one.child_pid, outputs.get(WINE)
    await one.close()

    assert child is not None
    assert layout is not None
    assert {"red", "white"} == set(layout.categories.values())


@pytest.mark.parametrize("inner", [gzip.compress(b'{"instances":[' + b'["a"],' * 50_000 + b'["a"]]}', mtime=0)])
async def test_a_small_event_of_a_large_body_is_not_decoded_on_the_event_loop(tmp_path: Path, inner: bytes) -> None:
    """What is compressed within a CloudEvent counts by its true size."""
    one = decoder(tmp_path)
    event = {"specversion": "1.0", "data_base64": base64.b64encode(inner).decode()}
    result = await one.decode(payload(event, Kind.REQUEST))
    child = one.child_pid
    await one.close()

    assert child is not None
    assert [50_001] == list(result.row_counts)
    assert Reason.WRONG_WIDTH is result.rows


@pytest.mark.long
async def test_a_body_that_takes_too_much_memory_is_refused_and_the_next_is_decoded(tmp_path: Path) -> None:
    """The child's limit of memory holds where no other limit does."""
    (tmp_path / "wine.csv").write_text(PLAIN)
    references = ReferenceStore(None, tmp_path)
    references.refresh(0.0)
    one = Decoder(references, OutputColumns(), 2**28, 100)
    text = payload({"instances": ["a" * 2**26]}, Kind.REQUEST)
    first = await one.decode(text)
    second = await one.decode(payload({"inputs": {"alcohol": list(range(20_000))}}, Kind.REQUEST))
    await one.close()

    assert Reason.TOO_COMPLEX is first.rows
    assert isinstance(second.rows, DecodedRows)


async def test_payloads_are_read_by_the_missing_words_of_the_reference(tmp_path: Path) -> None:
    """Requests and responses, alone and in a batch."""
    (tmp_path / "wine.csv").write_text(PREDICTED)
    references = ReferenceStore(None, tmp_path, ColumnRules(missing_words=frozenset({"unknown", "-1"})))
    references.refresh(0.0)
    one = Decoder(references, OutputColumns(), 2**20, 100)
    request = payload({"instances": [["unknown", -1]]}, Kind.REQUEST)
    response = payload({"predictions": [{"label": "unknown", "score": -1}]}, Kind.RESPONSE)

    for found in (await one.decode(request), await one.decode(response), one.decode_batch([request, request])):
        assert found is not None
        assert isinstance(found.rows, DecodedRows)
        assert np.isnan(found.rows.values).all()


async def test_rejected_payloads_leave_one_line_for_each_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the first rejected payload of each kind and reason, and nothing about dropped ones."""
    one = decoder(tmp_path)
    for _ in range(5):
        await one.decode(payload(b"{", Kind.REQUEST))
        await one.decode(payload({"instances": [[1, 2, 3]]}, Kind.REQUEST))
        await one.decode(changed(payload({"instances": [[1]]}, Kind.REQUEST), model=IRIS))
    await one.close()

    assert [
        "a request was rejected as malformed",
        "a request was rejected as wrong_width",
    ] == [message.partition(":")[0] for message in caplog.messages]
    assert all(message.endswith("(cellar/wine/predictor/wine)") for message in caplog.messages)


async def test_a_failed_request_is_logged_with_the_reason_that_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is `failed` in the message and the fields, and the message has the fault of the body."""
    one = decoder(tmp_path)
    await one.decode(changed(payload(b"{", Kind.REQUEST), failed=True))
    await one.close()

    assert caplog.messages[0].startswith("a request was rejected as failed: The body is not JSON")
    assert "failed" == vars(caplog.records[0])["fields"]["reason"]


@pytest.mark.parametrize(("row", "got"), [([1, 2, 3], "got 3 columns."), ([1], "got 1 column.")])
async def test_rows_without_names_are_described_by_their_columns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, row: list[int], got: str
) -> None:
    """Rows of V1 have no names, so their number of columns is all that a reader needs."""
    one = decoder(tmp_path)
    await one.decode(payload({"instances": [row]}, Kind.REQUEST))
    await one.close()

    assert got in caplog.messages[0]
