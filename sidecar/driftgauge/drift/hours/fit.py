"""Fits how each numeric feature of a reference depends on the hour."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.choose_form import choose_forms
from driftgauge.drift.hours.hour_forms import HourForm
from driftgauge.drift.hours.hour_model import HourModel
from driftgauge.drift.hours.local_hours import LocalHours, local_hours
from driftgauge.drift.hours.regression import Curves, SlotRows, fit_curves

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SMALLEST_SPREAD = 1e-12
"""A feature whose standard deviation is a smaller part of its mean is constant but for rounding."""

FEWEST_OTHERS = 50
"""Rows with another value than the median that a feature needs: fewer show nothing about hours."""


def fit_hour_models(values: Floats, times: Floats, zone: str) -> list[HourModel]:
    """The model of each of `d` features. At most 5,000 rows choose its form, all rows fit it.

    Args:
        values: Shape `(n, d)`. NaN and infinite values are missing.
        times: Shape `(n,)`, finite, ascending: seconds since the epoch.
        zone: A name of the IANA time zone database.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: No zone has this name.
    """
    hours = local_hours(times, zone)
    models = [HourModel(HourForm(), zone)] * values.shape[1]
    for features, rows in _complete(np.isfinite(values)):
        block = _without_tails(values[np.ix_(rows, features)])
        with np.errstate(over="ignore", invalid="ignore"):
            level, spread = block.mean(axis=0), block.std(axis=0)
        varied = np.isfinite(level) & np.isfinite(spread) & (spread > SMALLEST_SPREAD * (1e-280 + abs(level)))
        varied &= (block != np.median(block, axis=0)).sum(axis=0) >= FEWEST_OTHERS
        standardised = (block[:, varied] - level[varied]) / spread[varied]
        fitted = _fitted(standardised, hours.of(rows), zone)
        for feature, model in zip(np.flatnonzero(varied), fitted, strict=True):
            models[features[feature]] = model.scaled(float(level[feature]), float(spread[feature]))
    return models


def _without_tails(values: Floats) -> Floats:
    """Values no further outside of the middle 90 % than its width: a few far values would move the means of hours.

    Gaussian values stay as they are: 4.9 standard deviations are allowed.
    """
    low, high = np.quantile(values, (0.05, 0.95), axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        width = np.where(high > low, high - low, np.inf)
        return np.clip(values, low - width, high + width)


def _complete(known: NDArray[np.bool_]) -> Iterator[tuple[Indices, Indices]]:
    """Features that share their rows, and these rows: all that lack no value, then each other one alone."""
    lacking = ~known.all(axis=0)
    if not known.any():
        return
    if not lacking.all():
        yield np.flatnonzero(~lacking), np.arange(known.shape[0])
    for feature in np.flatnonzero(lacking & known.any(axis=0)):
        yield np.array([feature]), np.flatnonzero(known[:, feature])


def _fitted(values: Floats, hours: LocalHours, zone: str) -> list[HourModel]:
    """The models of standardised features that all have the same rows."""
    forms = choose_forms(values, hours)
    models = [HourModel(form, zone) for form in forms]
    for form in set(forms):
        if form.is_constant:
            continue
        features = [index for index, one in enumerate(forms) if one == form]
        rows = SlotRows.of(values[:, features], hours.slots)
        curves = fit_curves(rows, form)
        for place, feature in enumerate(features):
            models[feature] = _model(form, zone, curves.of(place), rows.counts)
    return models


def _model(form: HourForm, zone: str, curves: Curves, counts: Floats) -> HourModel:
    """The model with its level and spread over the rows of the reference.

    Args:
        form: The form of the curves.
        zone: The time zone of the hours.
        curves: Those of one feature.
        counts: Shape `(SLOTS,)`: rows of each slot.
    """
    seen = counts > 0
    level = float(np.average(curves.mean_by_slot[:, 0], weights=counts))
    spread = float(np.sqrt(np.average(np.exp(curves.log_variance_by_slot[:, 0]), weights=counts)))
    mean = (curves.mean_by_slot[seen, 0] - level) / spread
    log_spread = 0.5 * curves.log_variance_by_slot[seen, 0] - np.log(spread)
    return HourModel(
        form,
        zone,
        mean=tuple(((curves.mean[:, 0] - level * form.ones) / spread).tolist()),
        log_spread=tuple((0.5 * curves.log_variance[:, 0] - np.log(spread) * form.ones).tolist()),
        mean_range=(float(mean.min()), float(mean.max())),
        log_spread_range=(float(log_spread.min()), float(log_spread.max())),
        level=level,
        spread=spread,
    )
