"""How fast labels are matched: no faster than their outcomes are looked at, and never lost to a dead evaluator."""

from driftgauge.inference.payload import Kind
from driftgauge.labels.pace import LabelPace
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.ring import StreamKey, kept_rows
from tests.support.clock import ManualClock
from tests.support.labelled import EARLY_SECONDS, LAYOUT, Labelled, a_label
from tests.support.models import IRIS, WINE
from tests.support.rows import counted

WINDOW_ROWS = 100
OUTCOMES = StreamKey(WINE, Kind.OUTCOME)
KEPT = kept_rows(Kind.OUTCOME, WINDOW_ROWS, 2)


class Paced:
    """A pace over a ring in memory."""

    def __init__(self) -> None:
        self.ring, self.clock = MemoryRing(WINDOW_ROWS), ManualClock()
        self.pace = LabelPace(self.ring, WINDOW_ROWS, EARLY_SECONDS, self.clock)

    async def append(self) -> int:
        """Append as many rows as may be; returns how many."""
        number = 0
        while allowed := await self.pace.allowed(WINE, 2):
            await self.ring.append(OUTCOMES, counted(number, allowed))
            self.pace.note(WINE, allowed)
            number += allowed
        return number


async def test_labels_wait_at_half_of_what_is_kept() -> None:
    """And go on as soon as a look has read what came, by what it has read."""
    paced = Paced()
    first = await paced.append()
    paced.clock.now += 1
    still = await paced.append()
    await paced.ring.note_looked(OUTCOMES, 300)
    at_once = await paced.append()
    paced.clock.now += 1

    assert (KEPT // 2, 0, 0, 300) == (first, still, at_once, await paced.append())


async def test_labels_do_not_wait_for_ever() -> None:
    """Where no look comes they go on after some minutes, at first a part at a time, until a look comes."""
    paced = Paced()
    await paced.append()
    paced.clock.now += 1
    await paced.append()
    paced.clock.now += EARLY_SECONDS - 1.5
    early = await paced.pace.allowed(WINE, 2)
    paced.clock.now += 1.5
    late = await paced.pace.allowed(WINE, 2)

    assert (0, KEPT // 20) == (early, late)


async def test_a_model_of_many_columns_has_less_allowed() -> None:
    """It keeps fewer windows; where the columns are unknown, one window counts as kept."""
    paced = Paced()

    assert [KEPT // 20, WINDOW_ROWS // 20] == [
        await LabelPace(paced.ring, WINDOW_ROWS, EARLY_SECONDS, paced.clock).allowed(WINE, width) for width in (2, None)
    ]
    assert (1_000, 4_169, 2_000, 2_000) == (
        KEPT,
        kept_rows(Kind.OUTCOME, 2_000, 503),
        kept_rows(Kind.OUTCOME, 2_000, 10_000),
        kept_rows(Kind.RESPONSE, 2_000, 1),
    )


async def test_one_model_waits_alone() -> None:
    """Labels of another model pass those that wait, which no failure of the store drops, and which the end matches."""
    labelled = Labelled(window_rows=20)
    for name in ("some", "more", "most"):
        await labelled.respond(name, rows=100)
        labelled.offer(*(a_label(name, row=row) for row in range(100)))
    await labelled.respond("iris", model=IRIS)
    labelled.offer(a_label("iris"), models=[IRIS])
    assert await labelled.matcher.advance()
    waiting = labelled.matcher.waiting
    await labelled.matcher.close()

    assert (200, {"matched": 300}, {"matched": 1}) == (waiting, labelled.outcomes(), labelled.outcomes(IRIS))


async def test_a_lump_of_rows_matures_by_parts() -> None:
    """Rows that become old enough at once wait for looks too, and each is counted once."""
    labelled = Labelled(window_rows=20, maturity_seconds=60)
    await labelled.respond("wines", rows=100)
    await labelled.respond("more", rows=100)
    for name in ("wines", "more"):
        labelled.offer(*(a_label(name, row=row) for row in range(100)))
    await labelled.matcher.advance()
    labelled.clock.now += 61
    steps = []
    while await labelled.matcher.mature([WINE]):
        steps.append(labelled.rows()["labelled"])
        await labelled.ring.note_looked(OUTCOMES, steps[-1])
        labelled.clock.now += 1

    assert [100] == steps
    assert labelled.rows()["labelled"] == 200
    assert sum((await labelled.ring.read(OUTCOMES, LAYOUT.schema, 2)).totals.values()) == 200


async def test_labels_wait_no_more_when_the_process_begins_to_end() -> None:
    """From the drain on queued labels are matched, whatever no look has read: the last scrape has them."""
    number = KEPT // 2 + 100
    labelled = Labelled(window_rows=WINDOW_ROWS)
    ids = [str(one) for one in range(number)]
    for one in ids:
        await labelled.respond(one)
    assert labelled.offer(*map(a_label, ids))
    await labelled.matcher.advance()
    before = labelled.outcomes()["matched"]
    labelled.matcher.begin_end()
    await labelled.matcher.advance()
    assert before < number == labelled.outcomes()["matched"]
