"""What is known of models, within bounds."""

from concurrent.futures import ThreadPoolExecutor

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputColumns, OutputLayout
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import OVERFLOW, ModelKey, is_overflow, overflow_key
from tests.support.models import IRIS, WINE


def named(name: str) -> ModelKey:
    """A model of that name."""
    return ModelKey("space", name, "predictor", name)


def test_keys_are_admitted_up_to_the_limit_and_folded_into_other_beyond() -> None:
    """Untrusted names cannot grow the set without bound, and the first ones stay."""
    models = KnownModels(2)

    responses = [models.admit(named(name)) for name in ("a", "b", "c", "a")]

    assert [named("a"), named("b"), OVERFLOW, named("a")] == responses
    assert [named("a"), named("b")] == list(models)


def test_the_operators_models_take_none_of_the_places() -> None:
    """What configuration or a reference names is always admitted."""
    models = KnownModels(0, [WINE])
    models.add(IRIS)

    assert [WINE, IRIS, OVERFLOW] == [models.admit(WINE), models.admit(IRIS), models.admit(named("a"))]


def test_a_name_that_is_not_proven_takes_no_place() -> None:
    """Requests for models that do not exist cannot fill the set."""
    models = KnownModels(1)

    assert OVERFLOW == models.admit(named("a"), proven=False)
    assert named("b") == models.admit(named("b"))
    assert named("b") == models.admit(named("b"), proven=False)


def test_a_proxy_folds_into_a_model_of_its_own_inference_service() -> None:
    """The errors of names that do not exist stay with the service that was asked."""
    models = KnownModels(0, [WINE], overflow_key(WINE))
    asked = ModelKey("cellar", "wine", "predictor", "no-such-wine")

    assert ModelKey("cellar", "wine", "predictor", "(other)") == models.admit(asked)


def test_only_folded_keys_are_taken_for_such() -> None:
    """Their rows must not mix."""
    assert [True, True, False] == [is_overflow(key) for key in (OVERFLOW, overflow_key(WINE), WINE)]


def test_a_folded_key_takes_no_place() -> None:
    """A path may name the folded model itself."""
    models = KnownModels(1, other=overflow_key(WINE))

    assert overflow_key(WINE) == models.admit(overflow_key(WINE))
    assert [] == list(models)


def labels(*texts: str, column: str = "label") -> OutputLayout:
    """Responses of one column of categories."""
    codes = {float(len(text) * 1_000 + ord(text[0])): text for text in texts}
    return OutputLayout((column,), (FeatureKind.CATEGORICAL,), codes)


def test_a_model_without_a_response_has_no_layout() -> None:
    """A response of another model makes no difference."""
    outputs = OutputColumns()
    outputs.record(IRIS, labels("red"))

    assert None is outputs.get(WINE)


def test_a_layout_has_kinds_by_the_names_of_columns() -> None:
    """So that the next response is read like the last one."""
    assert {"label": FeatureKind.CATEGORICAL} == labels("red").known


def test_categories_of_the_same_columns_add_up() -> None:
    """One response seldom holds them all."""
    outputs = OutputColumns()
    for texts in (["red"], ["white", "red"], ["red"]):
        outputs.record(WINE, labels(*texts))
    layout = outputs.get(WINE)

    assert layout is not None
    assert ["red", "white"] == list(layout.categories.values())


def test_other_columns_replace_the_layout() -> None:
    """The newest response is what the next rows look like."""
    outputs = OutputColumns()
    outputs.record(WINE, labels("red"))
    newest = labels("white", column="colour")
    outputs.record(WINE, newest)

    assert newest is outputs.get(WINE)


def test_a_models_categories_are_bounded() -> None:
    """A model that writes prose has a new one in every response."""
    outputs = OutputColumns()
    for number in range(1_200):
        outputs.record(WINE, OutputLayout(("label",), (FeatureKind.CATEGORICAL,), {float(number): str(number)}))
    layout = outputs.get(WINE)

    assert layout is not None
    assert [str(number) for number in range(1_000)] == list(layout.categories.values())


def test_the_model_with_the_oldest_response_is_removed_beyond_the_limit() -> None:
    """Models with newer responses stay."""
    outputs = OutputColumns(limit=2)
    for name in ("a", "b", "a", "c"):
        outputs.record(named(name), labels("red"))

    assert [True, False, True] == [outputs.get(named(name)) is not None for name in ("a", "b", "c")]


def test_layouts_are_recorded_and_read_from_many_threads() -> None:
    """No text is lost, and a model is known from its first response on."""
    outputs = OutputColumns()
    outputs.record(WINE, labels("a"))

    def record(number: int) -> bool:
        outputs.record(WINE, OutputLayout(("label",), (FeatureKind.CATEGORICAL,), {float(number): str(number)}))
        return outputs.get(WINE) is not None

    with ThreadPoolExecutor(4) as pool:
        known = list(pool.map(record, range(500)))
    layout = outputs.get(WINE)

    assert all(known)
    assert layout is not None
    assert 501 == len(layout.categories)
