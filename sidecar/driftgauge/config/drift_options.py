"""The options of evaluations."""

from typing import cast

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from driftgauge.config.option_types import Duration, Rows, Seconds
from driftgauge.drift.budget import SHARE_TOLERANCE, Decision
from driftgauge.drift.statistics.correction import Correction


class DriftOptions(BaseModel):
    """Windows, evaluations and the rule of a verdict."""

    window_rows: Rows = Field(2000, description="size of the window: the newest rows, which are tested")
    min_rows: Rows = Field(200, description="rows that a window needs for a verdict")
    evaluation_interval_seconds: Seconds = Field(30, description="seconds between two evaluations")
    decision: Decision = Field(
        Decision.BUDGET,
        description="rule of a verdict: the false-alarm budget, or p-values compared with `alpha`",
    )
    false_alarm_interval: Duration = Field(
        cast("float", "30d"),  # text, so that documents show it with its unit; it is validated like any value
        description="mean time between two false alarms of a model, at least; seconds, or with a unit: `30d`, `12h`",
    )
    drift_tolerance: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="distance up to which drift raises no alarm: KS distance, or total variation of categories",
    )
    share_tolerance: float = Field(
        SHARE_TOLERANCE,
        ge=0,
        lt=1,
        description="share of values beyond the reference's range, of unknown categories, or of missing values where "
        "the reference hardly has any, up to which there is no alarm",
    )
    performance_tolerance: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="rise of the share of wrong predictions up to which there is no alarm; of numbers, the rise of the "
        "mean rank of their errors among the reference's; if not set, `drift_tolerance`",
    )
    tolerance_beyond_reference: bool = Field(
        default=False,
        description="add the tolerances to the reference's own error; by default the larger of both counts",
    )
    alpha: float = Field(
        0.05, gt=0, lt=1, description="significance level over all features, used if `decision` is `p-value`"
    )
    correction: Correction = Field(
        Correction.HOLM, description="correction of p-values for many features; `none` tests each feature at `alpha`"
    )
    max_features: Rows = Field(
        200,
        description="features with metric series of their own, those that drifted most first; all features are tested",
    )
    baseline_rows: Rows = Field(
        2000,
        description="first rows of responses, which replace predictions that a reference lacks; at most `window_rows`",
    )

    @field_validator("min_rows")
    @classmethod
    def _check_fits_window(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("window_rows", value):
            raise ValueError("must not be more than window_rows, or no window would ever be tested")
        return value
