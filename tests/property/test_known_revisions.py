"""Whatever names come in whatever order, the known models and their revisions stay within their limits."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from driftgauge.inference.known_models import PLACES_OF_A_FILE, IdleLimits, KnownModels
from driftgauge.inference.payload import ModelKey, is_overflow
from driftgauge.inference.revisions import LIVE_REVISIONS
from tests.support.clock import ManualClock

LIMIT = 2
KEYS = st.builds(
    ModelKey,
    st.just("cellar"),
    st.sampled_from(["wine", "iris", "beer", "tea", "(other)"]),
    st.sampled_from(["predictor", "transformer"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", "(other)", *(f"v{number}" for number in range(8))]),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["admit", "touch", "restore", "unproven"]), KEYS)
    | st.tuples(st.just("wait"), st.sampled_from([1, 3_600, 86_400, 604_800])),
    max_size=60,
)
CONFIGURED = ModelKey("cellar", "tea", "predictor", "a")


def reserved_by(model: ModelKey) -> tuple[str, str] | None:
    """The reference file of WINE."""
    return ("", "wine") if model.inference_service == "wine" else None


def take(models: KnownModels, clock: ManualClock, step: tuple[str, ModelKey | int]) -> None:
    """Take one step; a key that is admitted is known then, or counts for many."""
    action, subject = step
    if not isinstance(subject, ModelKey):
        clock.now += subject
        models.expire()
    elif action == "restore":
        assert models.restore(subject) is (subject in models and not is_overflow(subject))
    elif action == "touch":
        assert models.touch(subject) is (subject in models and not is_overflow(subject))
    else:
        counted = models.admit(subject, proven=action == "admit")
        assert counted in models if counted == subject and not is_overflow(subject) else is_overflow(counted)


@given(STEPS)
def test_places_and_revisions_stay_within_their_limits(steps: list[tuple[str, ModelKey | int]]) -> None:
    """No model has more live revisions than it may have, and revisions take no place of other models."""
    clock = ManualClock()
    models = KnownModels(LIMIT, [CONFIGURED], idle=IdleLimits(3_600, 604_800, clock), reserved_by=reserved_by)
    for step in steps:
        take(models, clock, step)
        known = list(models)
        revisions = Counter(key[:-1] for key in known)

        assert len(set(known)) == len(known)
        assert all(key in models and not is_overflow(key) for key in known)
        assert max(revisions.values()) <= LIVE_REVISIONS + 1
        assert len(revisions) <= LIMIT + PLACES_OF_A_FILE + 1
        assert CONFIGURED[:-1] in revisions
