"""Requests and errors, counted under the two names of the article."""

import pytest
from prometheus_client import CollectorRegistry

from driftgauge.metrics.request_counts import ERROR_CODES, RequestCounts
from tests.support.models import WINE, labels


@pytest.fixture
def registry() -> CollectorRegistry:
    """An empty registry."""
    return CollectorRegistry()


@pytest.fixture
def counts(registry: CollectorRegistry) -> RequestCounts:
    """Counts that the registry collects."""
    counts = RequestCounts()
    registry.register(counts)
    return counts


def test_all_usual_series_start_at_zero(registry: CollectorRegistry, counts: RequestCounts) -> None:
    """`rate` sees the first error only after a zero."""
    counts.start(WINE, "200")

    assert 0 == registry.get_sample_value("request_count", labels(code="200"))
    assert [0] * len(ERROR_CODES) == [
        registry.get_sample_value("request_error_count", labels(code=code)) for code in ERROR_CODES
    ]


@pytest.mark.parametrize(("code", "errors"), [("200", None), ("399", None), ("400", 1), ("503", 1), ("", None)])
def test_a_status_code_from_400_on_is_an_error(
    registry: CollectorRegistry, counts: RequestCounts, code: str, errors: int | None
) -> None:
    """An unknown status code, which is empty, is no error."""
    counts.start(WINE, code).count(code)

    assert 1 == registry.get_sample_value("request_count", labels(code=code))
    assert errors == registry.get_sample_value("request_error_count", labels(code=code))


def test_the_sum_counts_rows(registry: CollectorRegistry, counts: RequestCounts) -> None:
    """Rows are added after the request was counted."""
    model = counts.start(WINE, "200")
    model.count("200")
    model.add_rows("200", 32)

    assert 32 == registry.get_sample_value("request_sum", labels(code="200"))
