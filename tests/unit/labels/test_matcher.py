"""What becomes of a label: each outcome, by example."""

import asyncio
from itertools import repeat

import pytest

from driftgauge.inference.payload import Kind
from driftgauge.labels.label_results import MatcherLimits
from driftgauge.storage.labels import LabelLayout
from driftgauge.storage.ring import StreamKey, id_digests
from tests.support.failing_labels import LabelFailure
from tests.support.labelled import CATEGORY, EARLY_SECONDS, LAYOUT, NUMBER, Labelled, a_label
from tests.support.models import IRIS, WINE


async def test_a_label_meets_its_response() -> None:
    """It is matched once, its delay is observed, and its row is appended to the outcomes and counted."""
    labelled = Labelled()
    await labelled.respond("4711")
    labelled.clock.now += 90
    assert labelled.offer(a_label("4711", 6))
    await labelled.matcher.advance()
    assert {"matched": 1} == labelled.outcomes()
    assert {"labelled": 1, "unlabelled": 0, "dropped": 0} == labelled.rows()
    assert 90 == labelled.registry.get_sample_value("driftgauge_label_delay_seconds_sum", _labels_of())
    window = await labelled.ring.read(StreamKey(WINE, Kind.OUTCOME), LAYOUT.schema, 2)
    assert [[5.0, 6.0]] == window.rows.tolist()


def _labels_of() -> dict[str, str]:
    names = ("inference_service_namespace", "inference_service", "component", "model_name", "revision")
    return dict(zip(names, WINE, strict=True))


async def test_a_second_label_is_a_duplicate_or_too_late() -> None:
    """The same value again is a duplicate; another value after the row was judged is too late."""
    labelled = Labelled()
    await labelled.respond("4711")
    labelled.offer(a_label("4711", 6), a_label("4711", "6.0"), a_label("4711", 7))
    await labelled.matcher.advance()
    assert {"matched": 1, "duplicate": 1, "too_late": 1} == labelled.outcomes()


async def test_a_label_is_corrected_until_it_is_judged() -> None:
    """With maturity another value replaces the first one, and the row is judged by the tick, with the last one."""
    labelled = Labelled(maturity_seconds=60)
    await labelled.respond("4711", rows=2)
    labelled.offer(a_label("4711", 6), a_label("4711", 7))
    await labelled.matcher.advance()
    assert {"matched": 1, "corrected": 1} == labelled.outcomes()
    assert {"labelled": 0, "unlabelled": 0, "dropped": 0} == labelled.rows()
    labelled.clock.now += 61
    await labelled.matcher.mature([WINE, IRIS])
    assert 1 == labelled.rows()["labelled"]
    window = await labelled.ring.read(StreamKey(WINE, Kind.OUTCOME), LAYOUT.schema, 2)
    assert [[5.0, 7.0]] == window.rows.tolist()


async def test_the_labels_of_a_model_that_wait() -> None:
    """Those that are queued, and those whose response has not come; one that may be of two models waits for each."""
    labelled = Labelled()
    await labelled.respond("4711")
    labelled.offer(a_label("4711"), a_label("4712"))
    labelled.offer(a_label("4713"), models=(WINE, IRIS))
    assert [(3, 0), (0, 0)] == [labelled.matcher.waiting_of(model) for model in (WINE, IRIS)]
    await labelled.matcher.advance()
    assert [(0, 2), (0, 1)] == [labelled.matcher.waiting_of(model) for model in (WINE, IRIS)]


async def test_a_label_of_a_mature_response_is_counted_once() -> None:
    """It is judged when it comes, and counted then; no later tick counts it again."""
    labelled = Labelled(maturity_seconds=60)
    await labelled.respond("4711")
    labelled.clock.now += 60
    labelled.offer(a_label("4711"))
    await labelled.matcher.advance()
    assert ({"matched": 1}, 1) == (labelled.outcomes(), labelled.rows()["labelled"])
    labelled.clock.now += 61
    await labelled.matcher.mature([WINE])
    assert 1 == labelled.rows()["labelled"]
    window = await labelled.ring.read(StreamKey(WINE, Kind.OUTCOME), LAYOUT.schema, 2)
    assert [[5.0, 6.0]] == window.rows.tolist()


@pytest.mark.parametrize(
    ("value", "row", "output"),
    [
        *(("good", 0, None), (float("inf"), 0, None), (6, 1, None), (6, 0, "price")),
        *((value, 0, None) for value in (1.1e100, -1.1e100, "1e101", 10**101)),
    ],
)
async def test_malformed(value: object, row: int, output: str | None) -> None:
    """A text for a number, a number beyond 1e100, a row beyond the response's, and an unknown output are malformed."""
    labelled = Labelled()
    await labelled.respond("4711")
    labelled.offer(a_label("4711", value, row, output))
    await labelled.matcher.advance()
    assert {"malformed": 1} == labelled.outcomes()


async def test_a_label_without_an_output_is_of_none_of_several() -> None:
    """A first one is not better than another, also where the outputs were not known when the label came."""
    labelled = Labelled()
    layout = LabelLayout(("quality", "price"), (NUMBER, NUMBER), ("quality", "price"), (NUMBER, NUMBER))
    await labelled.respond("4711", layout=layout)
    labelled.offer(a_label("4711"), a_label("4711", output="price"))
    await labelled.matcher.advance()

    assert labelled.outcomes() == {"malformed": 1, "matched": 1}


async def test_labels_that_wait_are_queued_or_early() -> None:
    """Before a call to the store, and after it for a response that has not come."""
    labelled = Labelled()
    labelled.offer(a_label("4711"), a_label("4712"))
    before = labelled.matcher.waiting, labelled.matcher.early
    await labelled.matcher.advance()

    assert before == (2, 0)
    assert (labelled.matcher.waiting, labelled.matcher.early) == (0, 2)


@pytest.mark.parametrize(("value", "number"), [(True, 1), (False, 0)])
async def test_a_bool_is_one_or_zero_of_a_number(value: object, number: int) -> None:
    """Where the output is a number a bool is the same label as 1 or 0."""
    labelled = Labelled()
    await labelled.respond("4711")
    labelled.offer(a_label("4711", value), a_label("4711", number))
    await labelled.matcher.advance()
    assert {"matched": 1, "duplicate": 1} == labelled.outcomes()


async def test_the_log_names_a_label_that_turns_out_malformed(caplog: pytest.LogCaptureFixture) -> None:
    """One line a minute has the model and the digest of the first id; it quotes neither the id nor the label."""
    labelled = Labelled()
    await labelled.respond("secret-id")
    for _ in range(2):
        labelled.offer(*(a_label("secret-id", "secret-text") for _ in range(3)), a_label("secret-id", 6, row=9))
        await labelled.matcher.advance()
        labelled.clock.now += 60
    digest = id_digests(["secret-id"])[0]
    cause = "labels were malformed after they were accepted"
    first = f"{cause}: of {WINE}, id digest {digest:016x}: the response has no such row or output, or the output is "
    first += "a number and the label is none up to 1e100"
    assert [first, f"{first} (3 more since the last line)"] == caplog.messages
    assert "secret" not in caplog.text
    assert {"malformed": 8} == labelled.outcomes()


async def test_labels_of_categories_are_codes_of_their_texts() -> None:
    """A number and its text are the same category, and may be posted for an output whose predictions are texts."""
    labelled = Labelled()
    layout = LabelLayout(("grade", "price"), (CATEGORY, NUMBER), ("grade", "price"), (CATEGORY, NUMBER))
    await labelled.respond("4711", layout=layout)
    labelled.offer(
        a_label("4711", 6, output="grade"), a_label("4711", "6", output="grade"), a_label("4711", "9.5", output="price")
    )
    await labelled.matcher.advance()
    assert {"matched": 2, "duplicate": 1} == labelled.outcomes()


async def test_a_label_may_come_before_its_response() -> None:
    """It is tried again after 5, 10, 20 ... seconds, and matches the response that has come meanwhile."""
    labelled = Labelled()
    labelled.offer(a_label("4711"))
    await labelled.matcher.advance()
    assert {} == labelled.outcomes()
    await labelled.respond("4711")
    labelled.clock.now += 4
    await labelled.matcher.advance()
    assert {} == labelled.outcomes()
    labelled.clock.now += 1
    await labelled.matcher.advance()
    assert {"matched": 1} == labelled.outcomes()


async def test_a_label_whose_response_never_comes_is_unknown() -> None:
    """It is unknown at the end of its time, not before."""
    labelled = Labelled()
    labelled.offer(a_label("4711"))
    for _ in range(int(EARLY_SECONDS) - 1):
        await labelled.matcher.advance()
        labelled.clock.now += 1
    assert {} == labelled.outcomes()
    labelled.clock.now += 1
    await labelled.matcher.advance()
    assert {"unknown": 1} == labelled.outcomes()


async def test_early_labels_are_bounded() -> None:
    """Of more than 10,000 the oldest ones of the model with the most are unknown at once."""
    labelled = Labelled()
    labelled.offer(a_label("i"), models=[IRIS])
    labelled.offer(*(a_label(f"{number}") for number in range(10_002)))
    await labelled.matcher.advance()
    assert {"unknown": 3} == labelled.outcomes()
    assert {} == labelled.outcomes(IRIS)


async def test_several_models_are_asked_in_turn() -> None:
    """A label goes to the one of its models that has the response, whichever it is."""
    labelled = Labelled()
    await labelled.respond("w", model=WINE)
    await labelled.respond("i", model=IRIS)
    labelled.offer(a_label("i"), a_label("w"), models=[WINE, IRIS])
    await labelled.matcher.advance()
    assert ({"matched": 1}, {"matched": 1}) == (labelled.outcomes(WINE), labelled.outcomes(IRIS))


async def test_a_label_that_the_sample_leaves_out_is_not_kept() -> None:
    """With a share of inferences the response of a label beyond it can never wait, so that it does not wait either."""
    labelled = Labelled(limits=MatcherLimits(EARLY_SECONDS, lowest_ratio=lambda _: 0.0))
    await labelled.respond("4712")
    labelled.offer(a_label("4711"))
    await labelled.matcher.advance()
    assert {"not_kept": 1} == labelled.outcomes()


async def test_a_label_by_a_further_id_waits_beyond_the_sample() -> None:
    """The first id decides whether an inference is used: the response of a further one may come all the same."""
    labelled = Labelled(limits=MatcherLimits(EARLY_SECONDS, lowest_ratio=lambda _: 0.0))
    await labelled.respond("a", further="b")
    labelled.offer(a_label("4711"), a_label("never"))
    await labelled.matcher.advance()
    assert {} == labelled.outcomes()
    await labelled.respond("c", further="4711")
    labelled.clock.now += 5
    await labelled.matcher.advance()
    assert {"matched": 1} == labelled.outcomes()
    labelled.clock.now += EARLY_SECONDS
    await labelled.matcher.advance()
    assert {"matched": 1, "not_kept": 1} == labelled.outcomes()


async def test_a_label_by_a_further_id_waits_beyond_a_full_slice() -> None:
    """It meets its response, which is kept by its first id, when that comes; one that never comes is not kept."""
    labelled = Labelled(pending=24)
    ids = sorted(map(str, range(200)), key=lambda one: int(id_digests([one])[0]))
    for one, further in ((ids[100], None), (ids[50], "x")):
        await labelled.respond(one, further=further)
    labelled.offer(a_label(ids[-1]), a_label(ids[-2]))
    await labelled.matcher.advance()
    assert {} == labelled.outcomes()
    await labelled.respond(ids[0], further=ids[-1])
    labelled.clock.now += EARLY_SECONDS
    await labelled.matcher.advance()
    assert {"matched": 1, "not_kept": 1} == labelled.outcomes()


async def test_a_label_beyond_a_full_slice_is_not_kept_at_once_without_further_ids() -> None:
    """Its own id decides, so that no response of it can be kept."""
    labelled = Labelled(pending=24)
    ids = sorted(map(str, range(200)), key=lambda one: int(id_digests([one])[0]))
    for one in (ids[100], ids[50]):
        await labelled.respond(one)
    labelled.offer(a_label(ids[-1]), a_label(ids[0]))
    await labelled.matcher.advance()
    assert {"not_kept": 1} == labelled.outcomes()


async def test_a_label_is_counted_for_a_model_that_has_traffic() -> None:
    """One that no model has starts no series of a model without a response, such as the configured name of a proxy."""
    labelled = Labelled()
    await labelled.respond("4711", model=IRIS)
    labelled.offer(a_label("1"), a_label("2", "good"), models=[WINE, IRIS])
    await labelled.matcher.advance()
    labelled.clock.now += EARLY_SECONDS
    await labelled.matcher.advance()
    assert {"unknown": 1, "malformed": 1} == labelled.outcomes(IRIS)
    assert {} == labelled.rows(WINE)


async def test_a_full_queue_takes_nothing() -> None:
    """Labels that do not fit are refused together, and those that are queued stay."""
    labelled = Labelled(limits=MatcherLimits(EARLY_SECONDS, queue_labels=2))
    await labelled.respond("1")
    assert labelled.offer(a_label("1"))
    assert not labelled.offer(a_label("1"), a_label("1"))
    assert labelled.offer(a_label("1", 7))
    await labelled.matcher.advance()
    assert {"matched": 1, "too_late": 1} == labelled.outcomes()
    assert labelled.offer(a_label("1"), a_label("1"))


async def test_the_end_counts_all_that_wait() -> None:
    """At the end early labels are unknown, and labels that the store did not take are dropped."""
    labelled = Labelled()
    labelled.offer(a_label("1"))
    await labelled.matcher.advance()
    labelled.failing.failures = repeat(LabelFailure.AFTER)
    labelled.offer(a_label("2"))
    await labelled.matcher.close()
    assert {"unknown": 1, "dropped": 1} == labelled.outcomes()
    assert not labelled.offer(a_label("3"))


async def test_labels_that_are_not_kept_displace_no_early_ones() -> None:
    """Of the labels that wait those with the less hopeful prospect go first, if they are more."""
    labelled = Labelled(limits=MatcherLimits(EARLY_SECONDS, lowest_ratio=lambda _: 0.5))
    await labelled.respond("a", further="b")
    digests = {one: int(id_digests([one])[0]) for one in map(str, range(30_000))}
    beyond = [one for one, digest in digests.items() if digest >= 2**63]
    within = next(one for one, digest in digests.items() if digest < 2**63)
    labelled.offer(a_label(within), *map(a_label, beyond[:10_002]))
    await labelled.matcher.advance()
    assert {"not_kept": 3} == labelled.outcomes()


async def test_it_goes_on_when_labels_come_at_the_end_of_an_interval() -> None:
    """A label that comes in the turn in which the interval ends does not end the task."""
    labelled = Labelled()
    task = asyncio.create_task(labelled.matcher.run(0.0))
    for number in range(200):
        await labelled.respond(f"{number}")
        labelled.offer(a_label(f"{number}"), a_label(f"early {number}"))
        await asyncio.sleep(0)
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert not task.done()
    assert {"matched": 200} == labelled.outcomes()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
