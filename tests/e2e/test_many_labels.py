"""Thousands of labels through two loggers that share a Redis, which is killed half-way."""

import pytest

from benchmarks.labels.million import run

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_each_label_ends_in_one_outcome_where_redis_keeps_its_data() -> None:
    """Of 20,000 labels each has the outcome that it must have, and each row of outcomes is in the ledger once."""
    found = run(20_000, seed=1, pure=True)
    assert [] == [law for law in found.laws if not law.holds]


def test_each_label_ends_in_one_outcome_where_redis_loses_its_data() -> None:
    """What became of labels adds up to those that were accepted, whatever is gone."""
    found = run(3_000, seed=2, loses_data=True, pure=True)
    assert [] == [law for law in found.laws if not law.holds]
    assert 0 < found.outcomes["matched"] < found.outcomes.total()
