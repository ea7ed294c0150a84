"""Second tries are granted, and suspended for a minute when one fails too."""

import pytest

from driftgauge.proxy.resending import MAX_SECOND_TRIES, SUSPENDED_SECONDS, Resending, ResendOutcome, ResendState
from tests.support.clock import ManualClock


class Granting:
    """A `Resending` with a clock and the outcomes that it has counted.

    Args:
        is_on: Whether anything is sent again at all.
    """

    def __init__(self, *, is_on: bool = True) -> None:
        self.timer = ManualClock()
        self.outcomes: list[ResendOutcome] = []
        self.resending = Resending("m:1", is_on=is_on, count=self.outcomes.append, timer=self.timer)

    def try_again(self, outcome: ResendOutcome) -> bool:
        """Make a second try with this outcome; returns whether it was granted."""
        second_try = self.resending.begin()
        if second_try is not None:
            second_try.end(outcome)
        return second_try is not None


def test_requests_are_sent_again_as_long_as_that_helps() -> None:
    """Second tries that get a response change nothing, however many they are."""
    granting = Granting()

    assert [True] * 100 == [granting.try_again(ResendOutcome.RESPONDED) for _ in range(100)]
    assert [ResendOutcome.RESPONDED] * 100 == granting.outcomes


def test_a_failed_second_try_suspends_for_a_minute() -> None:
    """Nothing is sent again in the minute after a second try that failed, and then they are granted again."""
    granting = Granting()
    granting.try_again(ResendOutcome.FAILED)
    granting.timer.now += SUSPENDED_SECONDS - 1

    assert (ResendState.SUSPENDED, False) == (granting.resending.state, granting.try_again(ResendOutcome.RESPONDED))

    granting.timer.now += 1

    assert (ResendState.RESENDING, True) == (granting.resending.state, granting.try_again(ResendOutcome.RESPONDED))


@pytest.mark.parametrize("outcome", [ResendOutcome.UNREACHABLE, ResendOutcome.ABANDONED])
def test_a_second_try_that_proves_nothing_suspends_nothing(outcome: ResendOutcome) -> None:
    """A model server that is away has executed nothing twice, and a client that leaves says nothing of it."""
    granting = Granting()
    granting.try_again(outcome)

    assert ResendState.RESENDING is granting.resending.state


def test_second_tries_that_wait_are_limited() -> None:
    """Before any has failed, only so many are under way that their number bounds what is executed twice."""
    granting = Granting()
    waiting = [granting.resending.begin() for _ in range(MAX_SECOND_TRIES + 1)]

    assert [True] * MAX_SECOND_TRIES + [False] == [one is not None for one in waiting]


def test_second_tries_that_were_under_way_do_not_prolong_the_suspension() -> None:
    """The minute runs from the first failure; those that were under way then add nothing."""
    granting = Granting()
    first, second = granting.resending.begin(), granting.resending.begin()
    assert first is not None
    assert second is not None
    first.end(ResendOutcome.FAILED)
    granting.timer.now += SUSPENDED_SECONDS / 2
    second.end(ResendOutcome.FAILED)
    granting.timer.now += SUSPENDED_SECONDS / 2

    assert ResendState.RESENDING is granting.resending.state


def test_suspension_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line says for how long, and which model server; the failures beside the first add none."""
    granting = Granting()
    waiting = [granting.resending.begin() for _ in range(3)]
    for one in waiting:
        assert one is not None
        one.end(ResendOutcome.FAILED)

    (message,) = caplog.messages
    assert message.startswith("No request is sent again for 60 s: the model server at m:1 failed")


def test_only_the_first_outcome_of_a_second_try_counts() -> None:
    """A response that breaks off after its head does not count as failed too."""
    granting = Granting()
    second_try = granting.resending.begin()
    assert second_try is not None
    second_try.end(ResendOutcome.RESPONDED)
    second_try.end(ResendOutcome.FAILED)

    assert [ResendOutcome.RESPONDED] == granting.outcomes


def test_never_grants_nothing() -> None:
    """With the option `never` nothing is sent again."""
    granting = Granting(is_on=False)

    assert (ResendState.OFF, False) == (granting.resending.state, granting.try_again(ResendOutcome.RESPONDED))
