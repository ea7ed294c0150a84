"""Numbers with their units, as Grafana would write them."""

import math

_SHORT = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
_BINARY = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
_TIMES = ((86_400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"), (0.000_001, "µs"))
_PER_SECOND = {"reqps": "req/s", "rowsps": "rows/s", "Bps": "B/s"}


def with_unit(value: float, unit: str) -> str:
    """A value with its unit, in short form.

    Args:
        value: The number.
        unit: Grafana's name of its unit.
    """
    if not math.isfinite(value):
        return "-" if math.isnan(value) else "infinite"
    if unit == "percentunit":
        return f"{_text(100 * value)}%"
    if unit in {"s", "bytes"}:
        return _scaled(value, _TIMES if unit == "s" else _BINARY, "s" if unit == "s" else "B")
    kind, _, noun = unit.partition(":")
    if kind == "suffix":
        return f"{_text(value)} {noun}"
    if unit == "none":
        return _text(value)
    return f"{_shortened(value)} {noun if kind == 'count' else _PER_SECOND.get(unit, '')}".rstrip()


def _scaled(value: float, scales: tuple[tuple[float, str], ...], smallest: str) -> str:
    """The value in the largest unit of which it has at least one."""
    for size, name in scales:
        if abs(value) >= size:
            return f"{_text(value / size)} {name}"
    return f"{_text(value)} {smallest}"


def _shortened(value: float) -> str:
    """A count with K, M or B for thousands, millions and billions."""
    for size, letter in _SHORT:
        if abs(value) >= size:
            return f"{_text(value / size)}{letter}"
    return _text(value)


def _text(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
