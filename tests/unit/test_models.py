"""The capped set of models."""

from sidecar.models import OTHER, KnownModels, folded, is_folded
from sidecar.payload import ModelKey
from tests.support.models import IRIS, WINE


def named(name: str) -> ModelKey:
    """A model of that name."""
    return ModelKey("space", name, "predictor", name)


def test_keys_are_admitted_up_to_the_limit_and_folded_into_other_beyond() -> None:
    """A stranger's names cannot grow the set without bound, and who came first stays."""
    models = KnownModels(2)

    answers = [models.admit(named(name)) for name in ("a", "b", "c", "a")]

    assert [named("a"), named("b"), OTHER, named("a")] == answers
    assert [named("a"), named("b")] == list(models)


def test_the_operators_models_take_none_of_the_places() -> None:
    """What configuration or a reference names is always admitted."""
    models = KnownModels(0, [WINE])
    models.add(IRIS)

    assert [WINE, IRIS, OTHER] == [models.admit(WINE), models.admit(IRIS), models.admit(named("a"))]


def test_a_name_that_is_not_proven_takes_no_place() -> None:
    """Requests for models that do not exist cannot fill the set."""
    models = KnownModels(1)

    assert OTHER == models.admit(named("a"), proven=False)
    assert named("b") == models.admit(named("b"))
    assert named("b") == models.admit(named("b"), proven=False)


def test_a_proxy_folds_into_a_model_of_its_own_inference_service() -> None:
    """The errors of names that do not exist stay with the service that was asked."""
    models = KnownModels(0, [WINE], folded(WINE))
    asked = ModelKey("cellar", "wine", "predictor", "no-such-wine")

    assert ModelKey("cellar", "wine", "predictor", "(other)") == models.admit(asked)


def test_only_folded_keys_are_taken_for_such() -> None:
    """Their rows must not mix."""
    assert [True, True, False] == [is_folded(key) for key in (OTHER, folded(WINE), WINE)]


def test_a_folded_key_takes_no_place() -> None:
    """A path may name the folded model itself."""
    models = KnownModels(1, other=folded(WINE))

    assert folded(WINE) == models.admit(folded(WINE))
    assert [] == list(models)
