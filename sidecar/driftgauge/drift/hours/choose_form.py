"""Chooses the form of each feature's dependence on the hour by cross-validation over whole days."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.hour_forms import FORMS, HourForm
from driftgauge.drift.hours.local_hours import LocalHours
from driftgauge.drift.hours.regression import SlotRows, fit_curves

Floats = NDArray[np.float64]
Units = NDArray[np.intp]

CHOOSING_ROWS = 5_000
FOLDS = 5
FEWEST_DAYS = 3
BLOCKS = 200

ROWS_A_PARAMETER = 10
"""A form is tried where there are so many rows for each of its parameters."""

STANDARD_ERRORS = 0.5
"""The simplest form whose score is at most so many standard errors below the best is chosen.

Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, section 7.10, have one standard error.
"""


def choose_forms(values: Floats, hours: LocalHours) -> list[HourForm]:
    """The form of each of `d` features.

    Args:
        values: Shape `(n, d)`, without NaN, standardised, in the order of time.
        hours: The local time of the rows.
    """
    chosen = _evenly(values.shape[0])
    some = hours.of(chosen)
    forms = [form for form in FORMS if _is_tried(form, chosen.size, hours)]
    if len(forms) <= 1:
        return [HourForm()] * values.shape[1]
    scores = _scores(values[chosen], some.slots, _units(some), forms)
    return [forms[index] for index in _simplest(scores, np.bincount(_units(some)).astype(np.float64))]


def _is_tried(form: HourForm, rows: int, hours: LocalHours) -> bool:
    return rows >= ROWS_A_PARAMETER * form.parameters and (not form.weekend or hours.cover_two_weeks)


def _evenly(rows: int) -> NDArray[np.intp]:
    """At most `CHOOSING_ROWS` rows, one at a random place of each stretch, so that no pattern of the rows matters."""
    if rows <= CHOOSING_ROWS:
        return np.arange(rows)
    places = np.arange(CHOOSING_ROWS) + np.random.default_rng(0).random(CHOOSING_ROWS)
    return np.unique((places * (rows / CHOOSING_ROWS)).astype(np.intp))


def _units(hours: LocalHours) -> Units:
    """The day of each row, numbered from 0, or the block of 1/200 of the rows where there are too few days."""
    days, of_row = np.unique(hours.date, return_inverse=True)
    if days.size >= FEWEST_DAYS:
        return of_row.astype(np.intp)
    rows = hours.date.size
    return np.arange(rows) * min(BLOCKS, rows) // rows


def _scores(values: Floats, slots: NDArray[np.intp], units: Units, forms: Sequence[HourForm]) -> Floats:
    """The sum of the log density in each unit under curves fitted without it: shape `(forms, units, d)`."""
    order = np.argsort(slots, kind="stable")
    rows, units = SlotRows(values[order], slots[order]), units[order]
    by_unit = np.argsort(units, kind="stable")
    starts = np.flatnonzero(np.diff(units[by_unit], prepend=-1))
    splits = [(rows.where(units % FOLDS != fold), units % FOLDS == fold) for fold in range(FOLDS)]
    splits = [split for split in splits if split[1].any()]
    scores = np.empty((len(forms), starts.size, values.shape[1]))
    density = np.empty_like(rows.values)
    for index, form in enumerate(forms):
        for training, left_out in splits:
            density[left_out] = fit_curves(training, form).log_density(rows.where(left_out))
        scores[index] = np.add.reduceat(density[by_unit], starts, axis=0)
    return scores


def _simplest(scores: Floats, unit_rows: Floats) -> NDArray[np.intp]:
    """The first form of each feature that is within half a standard error of the best: shape `(d,)`."""
    rows, units = unit_rows.sum(), unit_rows.size
    means = scores.sum(axis=1) / rows
    best = means.argmax(axis=0)
    features = np.arange(scores.shape[2])
    apart = scores[best, :, features] - np.outer(means[best, features], unit_rows)
    error = np.sqrt((apart**2).sum(axis=1) * units / max(units - 1, 1)) / rows
    found: NDArray[np.intp] = (means >= means[best, features] - STANDARD_ERRORS * error).argmax(axis=0)
    return found
