"""Every label that was taken ends in exactly one outcome, whatever fails."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tests.support.failing_labels import LabelFailure
from tests.support.labelled import Labelled, a_label
from tests.support.models import IRIS, WINE

IDS = st.sampled_from("abcd")
MODELS = st.sampled_from([(WINE,), (IRIS,), (WINE, IRIS), (IRIS, WINE)])
LABEL = st.tuples(st.just("label"), IDS, st.sampled_from([5, 6, "x"]), st.integers(0, 2), MODELS)
RESPONSE = st.tuples(st.just("response"), IDS, st.sampled_from([WINE, IRIS]))
WAIT = st.tuples(st.just("wait"), st.sampled_from([0.0, 5.0, 100.0, 300.0]))
STEPS = st.lists(st.one_of(LABEL, LABEL, RESPONSE, WAIT), max_size=30)


@given(STEPS, st.lists(st.sampled_from(LabelFailure), max_size=40), st.sampled_from([0.0, 60.0]))
def test_every_label_ends_in_one_outcome(
    steps: list[tuple[object, ...]], failures: list[LabelFailure], maturity_seconds: float
) -> None:
    """The outcomes add up to the labels that were taken, for any order of labels, responses and failures."""

    async def run() -> None:
        """Take the steps, and compare the counts."""
        labelled = Labelled(iter(failures), maturity_seconds=maturity_seconds)
        offered = 0
        for step in steps:
            match step:
                case ("label", str(inference), value, int(row), tuple(models)):
                    offered += labelled.offer(a_label(inference, value, row), models=models)
                case ("response", str(inference), model):
                    await labelled.respond(inference, 2, model)  # type: ignore[arg-type]  # drawn from models
                case ("wait", float(seconds)):
                    labelled.clock.now += seconds
                    await labelled.matcher.advance()
                    await labelled.matcher.mature([WINE, IRIS])
        await labelled.matcher.close()
        assert offered == labelled.counted()
        assert 0 == labelled.matcher.waiting

    asyncio.run(run())
