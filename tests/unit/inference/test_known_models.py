"""Which models get a place: references first, idle ones give theirs up."""

import pytest

from driftgauge.inference.known_models import PLACES_OF_A_FILE, IdleLimits, KnownModels
from driftgauge.inference.payload import OVERFLOW, ModelKey
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE

HOUR = 3_600
WEEK = 168 * HOUR


def named(name: str, namespace: str = "space") -> ModelKey:
    """A model of that name."""
    return ModelKey(namespace, name, "predictor", name)


class ModelSet:
    """Known models with a clock that is set by hand, references that are filed by hand, and the refused keys.

    Args:
        limit: ModelSet of models without a reference.
        files: Names of reference files: namespace and InferenceService.
    """

    def __init__(self, limit: int, *files: tuple[str, str]) -> None:
        self.clock = ManualClock()
        self.files = set(files)
        self.refused: list[ModelKey] = []
        self.models = KnownModels(limit, idle=IdleLimits(HOUR, WEEK, self.clock), reserved_by=self._reserved_by)
        self.models.on_refused = self.refused.append

    def _reserved_by(self, model: ModelKey) -> tuple[str, str] | None:
        names = ((model.namespace, model.inference_service), ("", model.inference_service), ("", ""))
        return next((name for name in names if name in self.files), None)

    def admits(self, *keys: ModelKey) -> list[bool]:
        """Whether each of these keys is known after a request."""
        return [self.models.admit(key) == key for key in keys]


@pytest.mark.parametrize("file", [("cellar", "wine"), ("", "wine"), ("", "")])
def test_a_model_with_a_reference_gets_a_place_after_thousands_of_invented_names(file: tuple[str, str]) -> None:
    """Each layout of reference files reserves places that other names cannot take."""
    places = ModelSet(100, file)
    others = [named(f"m{number}", f"n{number}") for number in range(10_000)]

    admitted = sum(places.admits(*others))

    taken = PLACES_OF_A_FILE if file == ("", "") else 0
    assert 100 + taken == admitted
    assert 10_000 - admitted == len(places.refused)
    assert [file != ("", "")] == places.admits(WINE)


def test_a_model_without_a_reference_gets_the_place_of_one_that_is_idle() -> None:
    """After an hour without requests, the model that is idle the longest gives its place to a new one."""
    places = ModelSet(3)
    places.admits(*(named(f"m{number}") for number in range(10_000)))
    places.clock.now += HOUR - 1
    places.admits(named("m0"))
    early = places.admits(WINE)
    places.clock.now += 1
    late = places.admits(WINE, IRIS, named("x"))

    assert [False] == early
    assert [True, True, False] == late
    assert {named("m0"), WINE, IRIS} == set(places.models)


def test_an_idle_model_keeps_its_place_while_no_other_needs_it() -> None:
    """A model with little traffic is not forgotten after an hour."""
    places = ModelSet(2)
    places.admits(WINE)
    places.clock.now += WEEK - 1
    places.models.expire()

    assert [WINE] == list(places.models)


def test_an_idle_model_expires() -> None:
    """After a week without requests a model is forgotten, even if no other model needs its place."""
    places = ModelSet(2, ("", "iris"))
    places.admits(WINE, IRIS)
    places.clock.now += WEEK
    places.models.expire()

    assert [] == list(places.models)


def test_a_configured_model_does_not_expire() -> None:
    """A model that is added stays, without a place and without requests."""
    places = ModelSet(1)
    places.admits(WINE)
    places.models.add(WINE)
    places.models.add(IRIS)
    places.clock.now += WEEK
    places.models.expire()

    assert [WINE, IRIS] == list(places.models)
    assert [True] == places.admits(named("a"))


def test_a_file_without_a_namespace_reserves_a_limited_number_of_places() -> None:
    """Invented namespaces of one name take the places of its file at most, and then those of all."""
    places = ModelSet(2, ("", "wine"), ("", "iris"))
    wines = [named("wine", f"n{number}") for number in range(1_000)]

    assert PLACES_OF_A_FILE + 2 == sum(places.admits(*wines))
    assert [True] == places.admits(IRIS)


def test_an_invented_component_takes_no_reserved_place() -> None:
    """Only the components of KServe have places of a reference."""
    places = ModelSet(0, ("cellar", "wine"))

    assert [False, True, True, True] == places.admits(
        *(WINE._replace(component=component) for component in ("x", "predictor", "transformer", "explainer"))
    )


def test_a_reference_that_comes_later_frees_a_place() -> None:
    """A model that gets a reference moves to the places of that reference."""
    places = ModelSet(1)
    places.admits(WINE)
    places.files.add(("", "wine"))
    places.models.expire()

    assert [True] == places.admits(IRIS)
    assert {WINE, IRIS} == set(places.models)


def test_a_name_that_is_not_proven_takes_no_reserved_place_and_is_not_refused() -> None:
    """Requests for names that do not exist neither take places nor count as refused."""
    places = ModelSet(1, ("", ""))

    assert OVERFLOW == places.models.admit(WINE, proven=False)
    assert [] == list(places.models)
    assert [] == places.refused


def test_a_request_that_proves_nothing_keeps_a_known_model() -> None:
    """Failures of a known model are requests too: it is not idle."""
    places = ModelSet(1)
    places.admits(WINE)
    places.clock.now += HOUR
    places.models.admit(WINE, proven=False)

    assert [False] == places.admits(IRIS)


def test_touching_an_unknown_model_admits_nothing() -> None:
    """Only a known model can be touched."""
    places = ModelSet(1)

    assert not places.models.touch(WINE)
    assert WINE not in places.models


def test_only_a_file_named_after_a_model_vouches_for_it() -> None:
    """The one file for every model says nothing about a name."""
    places = ModelSet(1, ("", ""), ("", "wine"))

    assert (True, False) == (places.models.is_reserved(WINE), places.models.is_reserved(IRIS))


def test_restored_models_give_their_places_to_models_with_requests() -> None:
    """Rows in a store may be those of invented names, so a restored model counts as idle until its first request."""
    models = ModelSet(100, ("", "wine"))
    wines = [named("wine", f"n{number}") for number in range(10_000)]
    models.admits(IRIS)
    restored = [wine for wine in wines if models.models.restore(wine)]
    models.admits(restored[0])

    assert PLACES_OF_A_FILE + 99 == len(restored)
    assert [] == models.refused
    assert [True] * 100 == models.admits(WINE, *(named(f"m{number}") for number in range(99)))
    assert [False] == models.admits(named("m99"))
    assert {IRIS, restored[0], WINE} <= set(models.models)


def test_a_known_model_is_restored_as_it_is() -> None:
    """A model with requests is not idle because its rows are found in the store."""
    models = ModelSet(1)
    models.admits(WINE)

    assert models.models.restore(WINE)
    assert not models.models.restore(IRIS)
    assert [False] == models.admits(IRIS)
