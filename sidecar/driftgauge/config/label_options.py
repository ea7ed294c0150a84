"""The options of labels."""

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from driftgauge.config.option_types import Rows, Seconds


class LabelOptions(BaseModel):
    """How long responses wait for their labels, how many, and when they are judged."""

    label_ttl_seconds: Seconds = Field(
        604_800, description="seconds that a response waits for its label; labels that come later are unknown"
    )
    label_pending: Rows | None = Field(
        None,
        description="limit of responses of a model that wait for labels, a uniform sample of all; if not set, 100,000 "
        "with Redis and 20,000 in memory",
    )
    label_maturity_seconds: float = Field(
        0,
        ge=0,
        le=10_000_000,
        allow_inf_nan=False,
        description="age in seconds at which a prediction is judged, by the label that it has then; 0 judges it when "
        "its label comes, which is right where the delay of a label has nothing to do with its value",
    )

    @field_validator("label_maturity_seconds")
    @classmethod
    def _check_matures_in_time(cls, value: float, info: ValidationInfo) -> float:
        if value >= info.data.get("label_ttl_seconds", value + 1):
            raise ValueError("must be less than label_ttl_seconds, or nothing would ever be judged")
        return value
