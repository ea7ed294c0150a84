"""The sample: which payloads are looked at, told by their ids."""

from driftgauge.ingest.pipeline import sampled


def test_the_sample_has_the_share_that_was_asked_for() -> None:
    """10,000 ids at a ratio of 0.25: the standard deviation of the count is 43; five of them are allowed."""
    taken = sum(sampled(f"id-{number}", 0.25) for number in range(10_000))

    assert 2_500 - 5 * 43 < taken < 2_500 + 5 * 43


def test_a_larger_sample_holds_the_smaller_one() -> None:
    """Raising the ratio loses no id that was watched before."""
    ids = [f"id-{number}" for number in range(1_000)]

    assert {i for i in ids if sampled(i, 0.1)} <= {i for i in ids if sampled(i, 0.2)}


def test_any_text_can_be_an_id() -> None:
    """Ids come from strangers: half a surrogate pair is no crash, and a ratio of 1 takes all."""
    assert sampled("\ud800", 1.0)
    assert not sampled("\ud800", 0.0)
