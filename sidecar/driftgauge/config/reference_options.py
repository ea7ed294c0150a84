"""The options of reference files."""

from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from driftgauge.config.option_types import Seconds, Words


class ReferenceOptions(BaseModel):
    """Reference files: where they are, how they are read, and how large they may be."""

    reference: Path | None = Field(None, description="file of the reference dataset: CSV, Parquet or NPZ")
    reference_dir: Path | None = Field(
        None,
        description="reference directory: `<namespace>/<inference_service>.<ext>`, else `<inference_service>.<ext>`",
    )
    reference_poll_seconds: Seconds = Field(
        10, description="seconds between two checks of reference files, tokens and certificates for changes"
    )
    missing_words: Words = Field(
        "",
        description="texts that are missing values in every column of references and requests, with commas between them"
        " or a list in YAML: `unknown,-999`; empty cells, null and NaN are always missing",
    )
    time_column: str = Field(
        "",
        description="column of reference files that holds the time of each row, which then is no feature: ISO 8601, or"
        " seconds or milliseconds since 1970; files of `driftgauge reference build` need no option",
    )
    reference_ordered: bool = Field(
        False,  # noqa: FBT003 the field's default
        description="whether the rows of reference files without times stand in the order of time",
    )
    rhythm_timezone: str = Field(
        "UTC", description="time zone of the hours of the day, for features with a daily rhythm: `Europe/Berlin`"
    )
    max_reference_bytes: int = Field(
        64 * 2**20, ge=1, le=256 * 2**20, description="limit of a reference file in bytes; larger ones are refused"
    )
    max_reference_values: int = Field(
        5_000_000,
        ge=1,
        le=2**25,
        description="limit of a reference's rows times columns; larger ones are refused",
    )

    @field_validator("rhythm_timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (LookupError, ValueError, OSError):
            raise ValueError("is not the name of a time zone, such as UTC or Europe/Berlin") from None
        return value

    @field_validator("reference_dir")
    @classmethod
    def _check_one_reference(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("reference") is not None:
            raise ValueError("give reference or reference_dir, not both")
        return value
