"""Outputs of responses without a fixed width or number of rows are left out, and reported once."""

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import ROWS_DIFFER, WIDTH_CHANGES, OutputColumns, OutputLayout
from driftgauge.inference.payload import ModelKey
from tests.support.models import IRIS, WINE


class Reports:
    """A list of the outputs that were reported."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str, str]] = []

    def __call__(self, model: ModelKey, output: str, cause: str) -> None:
        """Report one output."""
        self.made.append((model.model_name, output, cause))


def layout(tokens: int, left_out: tuple[str, ...] = ()) -> OutputLayout:
    """The layout of a response with a score, and with some tokens."""
    columns = ("score", *(f"tokens_{index}" for index in range(tokens)))
    kinds = (FeatureKind.NUMERIC,) * len(columns)
    return OutputLayout(columns, kinds, {}, {"score": 1, "tokens": tokens}, dict.fromkeys(left_out, ROWS_DIFFER))


def test_new_version_with_another_width_is_no_instability() -> None:
    """A width may change a few times, for a rollout and back."""
    reports = Reports()
    outputs = OutputColumns(on_untested=reports)
    for tokens in (3, 3, 4, 4, 3, 4, 4, 4):
        outputs.record(WINE, layout(tokens))

    assert outputs.unstable(WINE) == frozenset()
    assert reports.made == []
    assert outputs.get(WINE) is not None


def test_output_whose_width_keeps_changing_is_unstable() -> None:
    """It is reported once, other outputs and models are not, and the layout with it is dropped."""
    reports = Reports()
    outputs = OutputColumns(on_untested=reports)
    for tokens in (3, 4, 5, 6, 7):
        outputs.record(WINE, layout(tokens))
    outputs.record(IRIS, layout(3))

    assert outputs.unstable(WINE) == {"tokens"}
    assert outputs.unstable(IRIS) == frozenset()
    assert outputs.get(WINE) is None
    assert reports.made == [("wine", "tokens", WIDTH_CHANGES)]


def test_output_of_other_rows_is_unstable_at_once() -> None:
    """Else it would be a column in responses of one row, and none in others."""
    reports = Reports()
    outputs = OutputColumns(on_untested=reports)
    for _ in range(3):
        outputs.record(WINE, layout(3, left_out=("info",)))

    assert outputs.unstable(WINE) == {"info"}
    assert reports.made == [("wine", "info", ROWS_DIFFER)]


def test_reports_are_bounded() -> None:
    """Names come from the network."""
    reports = Reports()
    outputs = OutputColumns(on_untested=reports)
    for number in range(1_500):
        outputs.record(WINE, layout(3, left_out=(f"info {number}",)))

    assert len(reports.made) == 1_000


def test_forgotten_model_begins_again() -> None:
    """What is known of a model ends with its place."""
    outputs = OutputColumns()
    outputs.record(WINE, layout(3, left_out=("info",)))
    outputs.retain({IRIS})

    assert outputs.unstable(WINE) == frozenset()
