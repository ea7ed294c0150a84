"""Which revisions of a model are live, and how their names are read."""

import pytest

from driftgauge.inference.known_models import IdleLimits, KnownModels
from driftgauge.inference.payload import OVERFLOW, ModelKey, is_overflow, overflow_key, overflow_revision
from driftgauge.inference.revisions import LIVE_REVISIONS, read_revision
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE

HOUR = 3_600
DAY = 24 * HOUR
WEEK = 7 * DAY

OTHERS = overflow_revision(WINE)


def wine(revision: str) -> ModelKey:
    """A revision of WINE."""
    return WINE._replace(revision=revision)


class RevisionSet:
    """Known models with a clock that is set by hand, and the refused keys.

    Args:
        limit: Places of models without a reference.
        configured: A model that is always known.
    """

    def __init__(self, limit: int = 1, *configured: ModelKey) -> None:
        self.clock = ManualClock()
        self.refused: list[ModelKey] = []
        self.models = KnownModels(limit, configured, idle=IdleLimits(HOUR, WEEK, self.clock))
        self.models.on_refused_revision = self.refused.append

    def admit(self, *revisions: str) -> list[str]:
        """The revisions that count requests of these ones."""
        return [self.models.admit(wine(revision)).revision for revision in revisions]

    def advance(self, seconds: float) -> None:
        """Let time pass, and expire what is idle."""
        self.clock.now += seconds
        self.models.expire()

    def live(self) -> list[str]:
        """The revisions that are known."""
        return [key.revision for key in self.models]


@pytest.mark.parametrize(
    ("text", "service", "expected"),
    [
        ("isvc.wine-predictor", "wine", "stable"),
        ("isvc.wine-v2-predictor", "wine", "v2"),
        ("isvc.wine-v2-predictor", "wine-v2", "stable"),
        ("isvc.wine-v2-blue-predictor", "wine", "v2-blue"),
        ("isvc.wine-predictor-predictor", "wine", "predictor"),
        ("isvc.wine-transformer", "wine", "stable"),
        ("isvc.wine-v2-explainer", "wine", "v2"),
        ("isvc.wine-stable-predictor", "wine", "isvc.wine-stable-predictor"),
        ("isvc.wine--predictor", "wine", "isvc.wine--predictor"),
        ("isvc.winery-predictor", "wine", "isvc.winery-predictor"),
        ("isvc.iris-v2-predictor", "wine", "isvc.iris-v2-predictor"),
        ("isvc.wine-v2-router", "wine", "isvc.wine-v2-router"),
        ("wine-predictor-00002", "wine", "wine-predictor-00002"),
        ("v2", "wine", "v2"),
        ("", "wine", ""),
    ],
)
def test_the_label_of_a_pod_is_read_as_its_revision(text: str, service: str, expected: str) -> None:
    """The name of the InferenceService, which may contain hyphens, is known; all other texts stay as they are."""
    assert expected == read_revision(text, service)


def test_revisions_of_a_model_share_its_place() -> None:
    """Another model would find no place."""
    models = RevisionSet(1)

    assert ["stable", "v2", ""] == models.admit("stable", "v2", "")
    assert OVERFLOW == models.models.admit(IRIS)
    assert ["stable", "v2", ""] == models.live()


def test_revisions_beyond_the_limit_count_as_other_ones_of_their_model() -> None:
    """Senders can invent revisions; the model's own ones keep their places while they have requests."""
    models = RevisionSet()
    models.admit("stable", "v2")
    invented = [f"x{number}" for number in range(1_000)]

    counted = models.admit(*invented)

    left = LIVE_REVISIONS - 2
    assert [*invented[:left], *["(other)"] * (1_000 - left)] == counted
    assert LIVE_REVISIONS == len(models.live())
    assert 1_000 - left == len(models.refused)
    assert OTHERS in models.models
    assert is_overflow(OTHERS)


def test_a_new_revision_gets_the_place_of_one_that_is_idle() -> None:
    """After an hour without requests, the revision that is idle the longest gives its place to a new one."""
    models = RevisionSet()
    models.admit(*(f"v{number}" for number in range(LIVE_REVISIONS)))
    models.clock.now += HOUR - 1
    early = models.admit("v0", "new")
    models.clock.now += 1
    late = models.admit("new")

    assert (["v0", "(other)"], ["new"]) == (early, late)
    assert {"v0", "v2", "v3", "v4", "new"} == set(models.live())


def test_a_new_revision_every_day_takes_no_more_places() -> None:
    """A revision is forgotten a day after its last request, if another one of its model has requests."""
    models = RevisionSet(2)
    most = 0
    for day in range(100):
        for _ in range(4):
            models.admit(f"wine-predictor-{day:05}")
            models.advance(DAY / 4)
            most = max(most, len(models.live()))

    assert 2 == most
    assert IRIS == models.models.admit(IRIS)


def test_revisions_that_are_all_silent_are_kept_like_a_model() -> None:
    """A model that predicts once a week loses none of them, and all of them after a week without requests."""
    models = RevisionSet()
    models.admit("stable", "v2")
    models.advance(WEEK - 1)
    before = models.live()
    models.advance(1)

    assert (["stable", "v2"], []) == (before, models.live())
    assert IRIS == models.models.admit(IRIS)


def test_a_request_of_any_revision_keeps_the_place_of_the_model() -> None:
    """The model is not idle."""
    models = RevisionSet(1)
    models.admit("stable", "v2")
    models.clock.now += HOUR
    models.admit("v2")

    assert OVERFLOW == models.models.admit(IRIS)


def test_a_model_with_a_reference_is_listed_by_its_revisions_once_they_have_requests() -> None:
    """The key without a revision, which has no requests, would have no verdict for ever."""
    models = RevisionSet(0, WINE)
    before = models.live()
    models.admit("stable")
    during, known = models.live(), WINE in models.models
    models.advance(WEEK)

    assert ([""], ["stable"], False) == (before, during, known)
    assert [""] == models.live()


def test_a_key_without_a_revision_is_listed_while_it_has_requests() -> None:
    """Some pods of a model may have no revision."""
    models = RevisionSet(0, WINE)
    models.admit("", "v2")
    both = models.live()
    models.advance(DAY)
    models.admit("v2")
    models.advance(1)

    assert ["", "v2"] == both
    assert ["v2"] == models.live()
    assert WINE == models.models.admit(WINE)


def test_the_revision_of_a_proxy_is_always_known() -> None:
    """It is the only one of its pod, and has no place that others could take."""
    models = RevisionSet(0, wine("v2"))
    models.advance(WEEK)
    models.admit("v2")
    models.advance(WEEK)

    assert ["v2"] == models.live()


def test_a_revision_that_is_not_proven_takes_no_place() -> None:
    """Neither a failure nor a GET proves one."""
    models = RevisionSet()
    models.admit("stable")

    assert OVERFLOW == models.models.admit(wine("v2"), proven=False)
    assert ["stable"] == models.live()
    assert [] == models.refused


def test_a_folded_revision_takes_no_place() -> None:
    """An event may name the folded revision itself."""
    models = RevisionSet()

    assert OVERFLOW == models.models.admit(OTHERS)
    assert not models.models.restore(OTHERS)
    assert OTHERS not in models.models


def test_restored_revisions_give_their_places_to_those_with_requests() -> None:
    """Rows in a store may be those of invented revisions."""
    models = RevisionSet()
    models.admit("stable")
    restored = [models.models.restore(wine(f"v{number}")) for number in range(10)]
    again = models.models.restore(wine("v1"))
    counted = models.admit("new", "stable")

    assert [*[True] * (LIVE_REVISIONS - 1), *[False] * 6] == restored
    assert again
    assert ["new", "stable"] == counted
    assert [] == models.refused


def test_models_that_are_folded_keep_no_revision_apart() -> None:
    """The errors of names that do not exist stay with the revision that was asked."""
    own = wine("v2")
    models = KnownModels(0, [own], overflow_key(own))

    assert own._replace(model_name="(other)") == models.admit(own._replace(model_name="no-such-wine"))
