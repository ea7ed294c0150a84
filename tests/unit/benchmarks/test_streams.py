"""Streams have the distributions and correlations that their names say."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from benchmarks.statistics.engine import TOLERANCE
from benchmarks.statistics.streams import STREAMS, TOLERANCE_SHIFT

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
