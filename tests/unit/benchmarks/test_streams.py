"""Streams have the distributions and correlations that their names say."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from benchmarks.statistics.engine import TOLERANCE
from benchmarks.statistics.requests import TRAFFIC, batch_among_singles, pareto
from benchmarks.statistics.streams import STREAMS, TOLERANCE_SHIFT

pytestmark = pytest.mark.long

ROWS = 20_000


@pytest.mark.parametrize("name", [name for name in STREAMS if "moved" not in name])
def test_single_rows_have_the_streams_distribution(name: str) -> None:
    """A reference has the distribution of a single row of the stream, however its rows depend on each other."""
    rng = np.random.default_rng(1)
    drawn = STREAMS[name].draw(rng, ROWS, 20).ravel()
    single = STREAMS[name].single(rng, ROWS, 20).ravel()

    statistic = ks_2samp(drawn[~np.isnan(drawn)], single[~np.isnan(single)]).statistic

    assert statistic < 0.02


def test_the_moved_stream_is_at_the_tolerance() -> None:
    """Its KS distance from its reference is the default tolerance."""
    rng = np.random.default_rng(2)
    statistic = ks_2samp(rng.standard_normal(400_000) + TOLERANCE_SHIFT, rng.standard_normal(400_000)).statistic

    assert statistic == pytest.approx(TOLERANCE, abs=0.005)


@pytest.mark.parametrize(("name", "correlation"), [("AR(1), 0.3", 0.3), ("AR(1), 0.6", 0.6), ("AR(1), 0.9", 0.9)])
def test_neighbours_correlate(name: str, correlation: float) -> None:
    """Neighbours of an autoregressive stream have the correlation of its name, and variance 1."""
    values = STREAMS[name].draw(np.random.default_rng(3), 200_000, 1)[:, 0]

    assert np.corrcoef(values[:-1], values[1:])[0, 1] == pytest.approx(correlation, abs=0.02)
    assert values.var() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("rows", [8, 32])
def test_rows_of_one_request_correlate_and_others_do_not(rows: int) -> None:
    """Two rows of a request correlate by 0.5; the first rows of two requests do not."""
    values = STREAMS[f"requests of {rows} rows, 0.5"].draw(np.random.default_rng(4), rows * 10_000, 1)[:, 0]
    requests = values.reshape(-1, rows)

    assert np.corrcoef(requests[:, 0], requests[:, 1])[0, 1] == pytest.approx(0.5, abs=0.03)
    assert np.corrcoef(requests[:-1, 0], requests[1:, 0])[0, 1] == pytest.approx(0, abs=0.03)


def test_requests_number_the_rows() -> None:
    """Rows of one request have one number, and numbers ascend."""
    stream = STREAMS["requests of 8 rows, 0.5"]

    assert [0] * 8 + [1] * 8 + [2] == stream.requests(17).tolist()


@pytest.mark.parametrize("name", TRAFFIC)
def test_requests_of_unequal_length_have_their_correlation(name: str) -> None:
    """Rows are standard normal, two of one request have the correlation of the name, and all rows are there."""
    values, requests = TRAFFIC[name].draw(np.random.default_rng(3), 100_000)
    same = np.flatnonzero(np.diff(requests) == 0)
    products = values[same] * values[same + 1]

    assert (100_000, 3) == values.shape
    assert requests.shape == (100_000,)
    assert set(np.diff(requests).tolist()) == {0, 1}
    assert float(values.std()) == pytest.approx(1.0, abs=0.1)
    assert float(products.mean()) == pytest.approx(TRAFFIC[name].correlation, abs=0.35)


def test_a_batch_among_singles_is_an_eighth_of_the_rows() -> None:
    """Of each 2,000 rows 250 come in one request, and the others alone."""
    lengths = batch_among_singles(250, 2_000, np.random.default_rng(4), 10_000)

    assert [5, 10_000] == [np.count_nonzero(lengths == 250), lengths.sum()]
    assert {1, 250} == set(lengths.tolist())


def test_pareto_lengths_have_a_heavy_tail() -> None:
    """Most requests have few rows, and the longest at most 2,000."""
    lengths = pareto(np.random.default_rng(5), 100_000)

    assert 100_000 <= lengths.sum() < 102_000
    assert np.median(lengths) <= 2
    assert 500 < lengths.max() <= 2_000
