"""Samples of ids: which ones they have, whatever the ids and the ratios are."""

from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from driftgauge.inference.request_ids import id_digest
from driftgauge.inference.sample_ratio import PastRatios, is_sampled
from driftgauge.storage.ring import id_digests

TEXTS = st.text(st.characters(), max_size=300)
RATIOS = st.floats(0, 1)


@given(st.lists(TEXTS))
def test_the_digest_of_one_id_is_that_of_many(ids: Sequence[str]) -> None:
    """What decides on the sample is what joins rows and labels, for every text, lone surrogates included."""
    assert id_digests(ids).tolist() == [id_digest(one) for one in ids]


@given(TEXTS, RATIOS, RATIOS)
def test_samples_are_nested(id_: str, one: float, other: float) -> None:
    """An id in the sample of a ratio is in that of every larger ratio."""
    assert is_sampled(id_, min(one, other)) <= is_sampled(id_, max(one, other))


@given(TEXTS)
def test_all_or_none(id_: str) -> None:
    """A ratio of 1 takes every id, and 0 none."""
    assert (True, False) == (is_sampled(id_, 1.0), is_sampled(id_, 0.0))


@example(1.0, [(63 / 64, 1)])
@example(0.51, [(0.99, 1)])
@given(st.floats(0.05, 1), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1_000_000)), max_size=20))
def test_at_most_a_hundredth_was_decided_below_the_lowest_ratio(
    configured: float, decided: Sequence[tuple[float, int]]
) -> None:
    """Ids below the lowest ratio were in the sample of at least 99 % of the inferences of both spans of time."""
    past = PastRatios(configured)
    for index, (share, inferences) in enumerate(decided):
        past.add(share * configured, inferences)
        if index == len(decided) // 2:
            past.begin_span()
    lower = sum(inferences for share, inferences in decided if share * configured < past.lowest)

    assert lower <= 0.01 * sum(inferences for _, inferences in decided)
    assert past.lowest <= configured
