"""Payload -> ring: the rows of a payload, their numbers, times and names."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import Kind
from driftgauge.protocol.category import code
from driftgauge.storage.ring import id_digests
from tests.support.changed_payloads import changed
from tests.support.models import IRIS, WINE
from tests.support.pipeline_bench import SETTINGS, Build, request, response

MIXED = "alcohol,day,colour\n9.5,2026-03-01,red\n10.5,2026-03-02,white\n"
PREDICTED = "alcohol,prediction:label,prediction:score\n9.5,red,0.5\n10.5,white,0.25\n"


async def test_the_rows_of_a_request_are_in_the_ring_and_counted(build: Build) -> None:
    """A window counts rows, and so does the sum of `request`."""
    bench = build()
    await bench.take(request(b'{"instances": [[9.5, 3.1], [9.8, null]]}'))
    window = await bench.window()

    np.testing.assert_array_equal([[9.5, 3.1], [9.8, np.nan]], window.rows)
    assert window.time == 5.0
    assert bench.ends() == {("request", "accepted", ""): 1}
    assert bench.value("driftgauge_rows_total") == 2
    assert bench.value("request_sum", code="200") == 2
    assert bench.value("driftgauge_missing_values_total", feature="ph") == 1
    assert bench.value("driftgauge_missing_values_total", feature="alcohol") == 0


async def test_rows_know_which_payload_they_came_in(build: Build) -> None:
    """Rows of one request are seldom independent."""
    bench = build()
    await bench.take(
        request(b'{"instances": [[1, 1], [2, 2]]}'),
        request(b'{"instances": [[3, 3]]}'),
        request(b'{"instances": [[4, 4], [5, 5], [6, 6]]}'),
    )
    window = await bench.window()

    assert [0, 0, 1, 2, 2, 2] == (window.requests - window.requests[0]).tolist()


async def test_rows_have_the_time_and_the_digest_of_the_id_of_their_payload(build: Build) -> None:
    """Of the payload itself, not of the append."""
    bench = build()
    body = b'{"instances": [[9.5, 3.1], [9.6, 3.2]]}'
    await bench.take(changed(request(body), id="\udcff", time=1.25), changed(request(body), id="b", time=7.0))
    window = await bench.window()

    assert [1.25, 1.25, 7.0, 7.0] == window.times.tolist()
    assert np.repeat(id_digests(["\udcff", "b"]), 2).tolist() == window.ids.tolist()
    assert window.time == 7.0


async def test_categories_are_codes_and_an_ignored_column_keeps_its_place(build: Build) -> None:
    """Missing values of categories and numbers are counted, those of an ignored column are not."""
    bench = build(reference=MIXED)
    await bench.take(request(b'{"instances": [[9.5, "2026-11-23", "red"], [9.8, null, null]]}'))
    kinds = (FeatureKind.NUMERIC, FeatureKind.IGNORED, FeatureKind.CATEGORICAL)
    window = await bench.window(columns=dict(zip(("alcohol", "day", "colour"), kinds, strict=True)))

    np.testing.assert_array_equal([[9.5, np.nan, code("red")], [9.8, np.nan, np.nan]], window.rows)
    assert 1 == bench.value("driftgauge_missing_values_total", feature="colour")
    assert None is bench.value("driftgauge_missing_values_total", feature="day")


async def test_outputs_of_a_response_have_a_stream_of_their_own(build: Build) -> None:
    """The columns have the names of the response, and the rows do not count as rows of features."""
    bench = build()
    await bench.take(response(b'{"predictions": [5, 6]}'))
    window = await bench.window(kind=Kind.RESPONSE, columns={"prediction": FeatureKind.NUMERIC})

    np.testing.assert_array_equal([[5], [6]], window.rows)
    assert bench.ends() == {("response", "accepted", ""): 1}
    assert bench.value("driftgauge_rows_total") == 0
    assert [0, 0] == (window.requests - window.requests[0]).tolist()


async def test_the_columns_of_the_newest_response_are_recorded(build: Build) -> None:
    """They are recorded by model with the texts of categories, also without a reference."""
    bench = build()
    await bench.take(response(b'{"predictions": ["red"]}', IRIS), response(b'{"predictions": ["white"]}', IRIS))
    layout = bench.outputs.get(IRIS)
    window = await bench.window(IRIS, Kind.RESPONSE, {"prediction": FeatureKind.CATEGORICAL})

    assert layout is not None
    assert {"prediction": FeatureKind.CATEGORICAL} == layout.known
    assert {code("red"): "red", code("white"): "white"} == layout.categories
    assert [[code("red")], [code("white")]] == window.rows.tolist()
    assert None is bench.outputs.get(WINE)


@pytest.mark.parametrize(
    ("first", "second", "columns"),
    [
        (b'["red"]', b"[null]", {"prediction": FeatureKind.CATEGORICAL}),
        (b"[[0, 0]]", b"[[0, 1]]", {"prediction_0": FeatureKind.NUMERIC, "prediction_1": FeatureKind.NUMERIC}),
    ],
    ids=["a column without any value", "numbers that look like scores by chance"],
)
async def test_a_response_is_read_like_the_one_before_it(
    build: Build, first: bytes, second: bytes, columns: Mapping[str, FeatureKind]
) -> None:
    """A column without a value has the kind of earlier responses, so that its rows have the same schema."""
    bench = build()
    await bench.take(response(b'{"predictions": %b}' % first), response(b'{"predictions": %b}' % second))
    window = await bench.window(kind=Kind.RESPONSE, columns=columns)

    assert 2 == len(window.rows)


async def test_predictions_of_a_reference_are_taken_by_name_and_kind(build: Build) -> None:
    """Other outputs are left out, and the columns of the response are not recorded."""
    bench = build(reference=PREDICTED)
    await bench.take(
        response(b'{"predictions": [{"score": 0.5, "label": "red", "note": "x"}]}'),
        response(b'{"predictions": [{"score": 0.5}]}'),
    )
    columns = {"label": FeatureKind.CATEGORICAL, "score": FeatureKind.NUMERIC}
    window = await bench.window(kind=Kind.RESPONSE, columns=columns)

    assert [[code("red"), 0.5]] == window.rows.tolist()
    assert bench.ends() == {("response", "accepted", ""): 1, ("response", "rejected", "wrong_width"): 1}
    assert None is bench.outputs.get(WINE)


async def test_a_reference_of_predictions_alone_tests_no_requests(build: Build) -> None:
    """Their rows are still counted."""
    bench = build(reference="prediction:label\nred\nwhite\n")
    await bench.take(request(b'{"instances": [[9.5, 3.1]]}'), response(b'{"outputs": {"label": ["red"]}}'))

    assert bench.ends() == {("request", "dropped", "no_reference"): 1, ("response", "accepted", ""): 1}
    assert bench.value("request_sum", code="200") == 1


async def test_of_a_payload_longer_than_the_window_the_last_rows_are_kept(build: Build) -> None:
    """Older rows would leave the ring at once; the count includes them."""
    bench = build(settings=replace(SETTINGS, window_rows=2))
    await bench.take(request(b'{"instances": [[1, null], [2, 2], [3, 3]]}'))
    window = await bench.window()

    assert [[2, 2], [3, 3]] == window.rows.tolist()
    assert window.requests[0] == window.requests[1]
    assert bench.value("driftgauge_rows_total") == 3
    assert bench.value("request_sum", code="200") == 3
    assert bench.value("driftgauge_missing_values_total", feature="ph") == 1


async def test_responses_without_a_fixed_width_keep_what_can_be_tested(build: Build) -> None:
    """The label stays one stream; the tokens are left out once their width has changed too often."""
    bench = build(settings=replace(SETTINGS, queue_payloads=100, queue_bytes=100_000))
    for number in range(12):
        tokens = list(range(1 + number % 5))
        await bench.run_through(response(json.dumps({"predictions": [{"score": 0.25, "tokens": tokens}]}).encode()))
    window = await bench.window(kind=Kind.RESPONSE, columns={"score": FeatureKind.NUMERIC})

    assert bench.ends() == {("response", "accepted", ""): 12}
    assert len(window.rows) == 7


async def test_a_small_body_that_makes_a_large_table_is_decoded_all_the_same(build: Build) -> None:
    """A small body whose rows lack most columns is decoded in the thread, since it would delay the event loop."""
    bench = build(settings=replace(SETTINGS, queue_bytes=100_000, max_payload_bytes=50_000))
    names = ",".join(f'"n{number}":1' for number in range(100))
    rest = ',{"ph":3.125}' * 300
    body = f'{{"instances":[{{{names},"alcohol":9.5,"ph":3.1}}{rest}]}}'.encode()
    await bench.take(request(body))

    assert bench.ends() == {("request", "accepted", ""): 1}
    assert bench.value("driftgauge_rows_total") == 301


@pytest.mark.parametrize(("turn_seconds", "fewest", "most"), [(0.0, 20, 30), (0.05, 1, 5)])
async def test_the_pipeline_works_longer_where_others_have_long_turns(
    build: Build, turn_seconds: float, fewest: int, most: int
) -> None:
    """Twenty steps are a turn each of an idle event loop; where others take 50 ms a turn, several are done in one."""
    bench, turns = build(settings=replace(SETTINGS, queue_payloads=100, queue_bytes=100_000)), 0

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            bench.now += turn_seconds
            await asyncio.sleep(0)

    others = asyncio.create_task(work())
    await bench.take(
        *(request(b'{"instances": [[1, 1]]}', WINE._replace(model_name=f"wine-{number}")) for number in range(20))
    )
    others.cancel()

    assert fewest <= turns <= most
