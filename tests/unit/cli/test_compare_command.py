"""The command `compare`: watching a canary, its exit codes and its lines, with the time passed in."""

from typing import Any

import pytest

from driftgauge.cli.compare_command import CANNOT_TELL, FAILED, PASSED, CompareError, exit_code, lines_of, watch

CRITERIA = ("drift", "errors")


def comparison(**states: str) -> dict[str, Any]:
    """A comparison with these states; other criteria are ok."""
    known = {"drift": "ok", "errors": "ok", "latency": "ok", "accuracy": "cannot_tell"} | states
    measures = {"drift": "shift", "errors": "odds_ratio", "latency": "ratio", "accuracy": "difference"}
    criteria = [
        {
            "criterion": name,
            "state": state,
            "reason": f"because of {name}",
            "measure": measures[name],
            "effect": None if state == "cannot_tell" else 1.5,
            "lower": 1.2,
            "upper": None,
        }
        for name, state in known.items()
    ]
    return {"revision": "v2", "against": "stable", "criteria": criteria}


class Watched:
    """Comparisons one after another, and a clock that goes on while the command sleeps; a look takes a second.

    Args:
        found: What each look finds; the last one stays.
    """

    def __init__(self, *found: dict[str, Any] | CompareError) -> None:
        self.found = list(found)
        self.now = 100.0
        self.looks = 0
        self.slept: list[float] = []

    async def fetch(self) -> dict[str, Any]:
        """Find the next one."""
        one = self.found[min(self.looks, len(self.found) - 1)]
        self.looks += 1
        self.now += 1
        if isinstance(one, CompareError):
            raise one
        return one

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.now += seconds

    async def run(self, seconds: float) -> dict[str, Any]:
        """Watch for so long."""
        return await watch(self.fetch, CRITERIA, seconds, clock=lambda: self.now, sleep=self.sleep)


async def test_without_a_wait_there_is_one_look() -> None:
    """Whatever it finds."""
    for found in (comparison(), comparison(drift="cannot_tell"), comparison(errors="failed")):
        watched = Watched(found)

        assert found is await watched.run(0)
        assert (1, []) == (watched.looks, watched.slept)


async def test_a_canary_is_watched_to_the_end_of_the_time() -> None:
    """Each ten seconds, the last time at the end: a step of a release that is well takes its whole time."""
    watched = Watched(comparison(), comparison(drift="cannot_tell"))

    assert CANNOT_TELL == exit_code(await watched.run(25), CRITERIA)
    assert [10, 10, 2] == watched.slept
    assert 4 == watched.looks


async def test_a_failure_ends_it_at_once() -> None:
    """A later look could not take it back; a criterion that does not count does not end it."""
    watched = Watched(comparison(latency="failed"), comparison(drift="failed"), comparison())

    assert FAILED == exit_code(await watched.run(600), CRITERIA)
    assert 2 == watched.looks


async def test_a_pod_that_restarts_is_asked_again() -> None:
    """Nor does a canary without requests yet end it; the newest comparison counts."""
    watched = Watched(CompareError("no requests yet"), comparison(), CompareError("restarts"), comparison())

    assert PASSED == exit_code(await watched.run(35), CRITERIA)
    assert 5 == watched.looks


async def test_a_process_that_does_not_respond_at_last_is_a_fault() -> None:
    """What was found before is too old to let a canary pass."""
    watched = Watched(comparison(), CompareError("refused"))

    with pytest.raises(CompareError, match="refused"):
        await watched.run(15)
    assert 3 == watched.looks


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ({}, PASSED),
        ({"latency": "failed", "accuracy": "failed"}, PASSED),
        ({"errors": "cannot_tell"}, CANNOT_TELL),
        ({"drift": "failed", "errors": "cannot_tell"}, FAILED),
    ],
)
def test_only_the_criteria_that_count_decide(states: dict[str, str], code: int) -> None:
    """A failure is more than a criterion without a state."""
    assert code == exit_code(comparison(**states), CRITERIA)


def test_criteria_that_the_process_does_not_know_have_no_verdict() -> None:
    """An older build may lack one: that must not let a canary pass."""
    assert CANNOT_TELL == exit_code({"criteria": []}, CRITERIA)


def test_lines_have_effect_interval_and_verdict() -> None:
    """An end that is not known is left open; what does not count is left out."""
    assert lines_of(comparison(errors="cannot_tell"), CRITERIA) == [
        "drift: ok (shift +1.50 sd, 1.2 to ...): because of drift",
        "errors: cannot tell: because of errors",
        "revision v2 cannot be judged yet against stable",
    ]
