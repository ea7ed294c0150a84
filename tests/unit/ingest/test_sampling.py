"""Whether a payload belongs to the sample depends on its id only."""

from driftgauge.inference.sample import is_sampled


def test_the_sample_has_the_configured_share() -> None:
    """10,000 ids at a ratio of 0.25: the standard deviation of the count is 43; five of them are allowed."""
    taken = sum(is_sampled(f"id-{number}", 0.25) for number in range(10_000))

    assert 2_500 - 5 * 43 < taken < 2_500 + 5 * 43


def test_a_larger_sample_contains_the_smaller_one() -> None:
    """A larger ratio keeps all ids of a smaller one."""
    ids = [f"id-{number}" for number in range(1_000)]

    assert {i for i in ids if is_sampled(i, 0.1)} <= {i for i in ids if is_sampled(i, 0.2)}


def test_any_text_can_be_an_id() -> None:
    """Ids are untrusted: a lone surrogate is no error, and a ratio of 1 takes all ids."""
    assert is_sampled("\ud800", 1.0)
    assert not is_sampled("\ud800", 0.0)
