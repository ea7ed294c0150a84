"""Units of the panels, in Grafana's notation: `count:` shortens to K and M, `suffix:` does not."""

SHARE = "percentunit"
"""A share of a whole, 0 to 1, shown in percent."""

SECONDS = "s"
BYTES = "bytes"
BYTES_PER_SECOND = "Bps"
REQUESTS_PER_SECOND = "reqps"
ROWS_PER_SECOND = "rowsps"
CORES = "suffix:cores"

LOG_SECONDS = "suffix:log10(s)"
"""Evidence of the detector: a power of ten of seconds."""

THRESHOLDS = "suffix:x"
"""A distance in units of the smallest one that would alarm."""

DISTANCE_UNIT = "suffix:D"
"""A distance from 0, the same distribution, to 1, no overlap."""

NATS = "suffix:nats"
DEVIATIONS = "suffix:sd"
"""Standard deviations of the reference."""

ROWS_PER_ROW = "suffix:rows"
"""Rows for each independent row."""

OWN = "none"
"""A number whose unit the axis has to name: one without a unit, or in the unit of the feature itself."""

STATE = "none"
"""No number: its values have names."""


def count(noun: str) -> str:
    """The unit of a number of things.

    Args:
        noun: What they are, in the plural.
    """
    return f"count:{noun}"


def counted(unit: str) -> str:
    """What a unit of `count` counts, in the plural; empty for every other unit."""
    kind, _, noun = unit.partition(":")
    return noun if kind == "count" and "/" not in noun else ""


def per_second(noun: str) -> str:
    """The unit of a number of things a second.

    Args:
        noun: What they are, in the plural.
    """
    return f"count:{noun}/s"
