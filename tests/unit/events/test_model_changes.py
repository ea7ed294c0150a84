"""Which changes of a verdict are events."""

from collections.abc import Sequence

import pytest

from driftgauge.events.model_changes import EVENT_TYPES, MAX_PENDING, ModelChanges, event_id
from driftgauge.events.packed_changes import pack_changes, unpack_changes
from driftgauge.events.verdicts import Verdict, VerdictKey
from driftgauge.metrics.event_counts import EventOutcome
from tests.support.changes import DRIFT, INPUTS, LIMITS, OK, REFERENCE, UNSURE, seen
from tests.support.models import IRIS, WINE

START = 1_000_000.0


def watch(states: Sequence[tuple[float, str]], key: VerdictKey = INPUTS) -> tuple[ModelChanges, list[str]]:
    """Look at these states at these seconds, and send what is due before each; returns changes, and what was sent."""
    changes, sent = ModelChanges(WINE, LIMITS), []
    for seconds, state in states:
        sent += _sent(changes, START + seconds)
        changes.observe({key: seen(state)}, START + seconds, lambda _: "{}")
    return changes, sent + _sent(changes, float("inf"))


def _sent(changes: ModelChanges, now: float) -> list[str]:
    due = [one for one in changes.pending if one.due <= now]
    for one in due:
        changes.remove(one.id)
    return [one.type.removeprefix("io.driftgauge.") for one in due]


@pytest.mark.parametrize(
    ("states", "events"),
    [
        ([(0, OK), (30, OK)], []),
        ([(0, UNSURE), (600, UNSURE), (900, OK), (1_300, OK)], []),
        ([(0, DRIFT), (30, DRIFT)], ["drift.detected"]),
        ([(0, OK), (30, DRIFT), (60, DRIFT), (120, OK)], ["drift.detected", "drift.resolved"]),
        ([(0, UNSURE), (30, DRIFT)], ["drift.detected"]),
    ],
    ids=["all is well", "few rows at first", "drift at first", "there and back", "drift after few rows"],
)
def test_first_verdicts(states: list[tuple[float, str]], events: list[str]) -> None:
    """A receiver assumes that all is well: it gets drift at once, and no word of a model that begins without one."""
    assert events == watch(states)[1]


@pytest.mark.parametrize("gap", [30, 299])
def test_cannot_tell_does_not_flap(gap: float) -> None:
    """A verdict that is missing for less than five minutes, again and again, is no change."""
    states: list[tuple[float, str]] = [(0, OK)]
    for number in range(1, 20):
        states += [(number * (gap + 1), UNSURE if number % 2 else OK)]
    assert [] == watch(states)[1]


def test_cannot_tell_that_lasts() -> None:
    """One that lasts is an event, and so is the verdict after it, if that lasts too."""
    lasting = [(0, OK), (30, UNSURE), (330, UNSURE), (360, OK), (400, UNSURE), (430, OK), (730, OK)]
    assert ["drift.cannot_tell", "drift.resolved"] == watch(lasting)[1]


def test_drift_between_is_heard_at_once() -> None:
    """Drift and recovery do not wait, also while a verdict is missing now and then."""
    states = [(0, OK), (30, UNSURE), (60, DRIFT), (90, UNSURE), (130, DRIFT), (190, UNSURE), (220, OK)]
    assert ["drift.detected", "drift.resolved"] == watch(states)[1]


def test_changes_within_the_cooldown_are_merged() -> None:
    """Of many changes within a minute the newest state is sent, if it is not the one that was sent before."""
    there = [(0, DRIFT), (10, OK), (20, DRIFT), (30, OK)]
    assert ["drift.detected", "drift.resolved"] == watch(there)[1]
    assert ["drift.detected"] == watch([*there, (40, DRIFT)])[1]


def test_every_merged_change_is_counted() -> None:
    """A change that a newer one replaces, and a newer one that leads back, each have an outcome."""
    changes = ModelChanges(WINE, LIMITS)
    settled = []
    for seconds, state in [(0, DRIFT), (10, OK), (20, DRIFT), (30, OK), (40, DRIFT)]:
        settled += changes.observe({INPUTS: seen(state)}, START + seconds, lambda _: "{}")
    assert [EventOutcome.MERGED] * 4 == [one.outcome for one in settled]
    assert ["io.driftgauge.drift.detected"] == [one.type for one in changes.pending]


def test_another_reference() -> None:
    """The first reference is no change, another one is; one that comes back within the cool-down is none."""
    assert [] == watch([(0, "a"), (30, "a")], REFERENCE)[1]
    assert ["reference.changed"] == watch([(0, "a"), (30, "b"), (60, "b")], REFERENCE)[1]
    assert ["reference.changed"] == watch([(0, "a"), (90, "b"), (100, "c"), (110, "b")], REFERENCE)[1]


def test_bounded() -> None:
    """Beyond 64 events that wait the oldest are dropped and counted."""
    changes = ModelChanges(WINE, LIMITS)
    settled = []
    for number in range(MAX_PENDING + 10):
        state = DRIFT if number % 2 == 0 else OK
        settled += changes.observe({INPUTS: seen(state)}, START + 100 * number, lambda _: "{}")
    assert MAX_PENDING == len(changes.pending)
    assert [EventOutcome.DROPPED] * 10 == [one.outcome for one in settled]


def test_a_clock_that_goes_back_loses_nothing() -> None:
    """An hour back, the next change still has its event, within a cool-down."""
    changes = ModelChanges(WINE, LIMITS)
    changes.observe({INPUTS: seen(DRIFT)}, START, lambda _: "{}")
    changes.remove(changes.pending[0].id)
    changes.observe({INPUTS: seen(OK)}, START - 3_600, lambda _: "{}")
    assert [START - 3_600 + 60] == [one.due for one in changes.pending]


def test_ids() -> None:
    """An id depends on model, verdict, state and time, and on nothing else."""
    other = VerdictKey(Verdict.DRIFT, "predictions")
    ids = [event_id(m, k, s, t) for m in (WINE, IRIS) for k in (INPUTS, other) for s in (OK, DRIFT) for t in (1.0, 2.0)]
    assert 16 == len(set(ids))
    assert ids[0] == event_id(WINE, INPUTS, OK, 1.0)


def test_the_time_of_the_alarm_makes_the_id() -> None:
    """Two replicas that see one alarm at different times give its event one id."""
    ids = []
    for now in (START, START + 30):
        changes = ModelChanges(WINE, LIMITS)
        changes.observe({INPUTS: seen(DRIFT, since=START - 100)}, now, lambda _: "{}")
        ids += [one.id for one in changes.pending]
    assert 1 == len(set(ids))


def test_saved_and_read() -> None:
    """What is read is what was saved, and goes on in the same way."""
    changes, _ = watch([(0, OK), (30, DRIFT)])
    changes.observe({INPUTS: seen(OK)}, START + 40, lambda _: '{"a": 1}')
    again = unpack_changes(WINE, LIMITS, pack_changes(changes))
    assert (changes.known, changes.pending) == (again.known, again.pending)


@pytest.mark.parametrize("blob", [b"", b"driftgauge-events 2\n[]", b"driftgauge-events 1\n[1]", b"\xff" * 100])
def test_what_cannot_be_read(blob: bytes) -> None:
    """What another program or version has saved is refused."""
    with pytest.raises(ValueError, match=r".+"):
        unpack_changes(WINE, LIMITS, blob)


def test_types() -> None:
    """Three verdicts have three types each, the reference has one."""
    assert 10 == len(set(EVENT_TYPES))
