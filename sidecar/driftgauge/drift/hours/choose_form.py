"""Chooses the form of each feature's dependence on the hour by cross-validation over whole days."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.cross_validation import FOLDS, Units, simplest, units_of
from driftgauge.drift.hours.hour_forms import FORMS, HourForm
from driftgauge.drift.hours.local_hours import LocalHours
from driftgauge.drift.hours.regression import SlotRows, fit_curves

Floats = NDArray[np.float64]

CHOOSING_ROWS = 5_000
ROWS_A_PARAMETER = 10
"""A form is tried where there are so many rows for each of its parameters."""


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
    scores = _scores(values[chosen], some.slots, units_of(some), forms)
    return [forms[index] for index in simplest(scores, np.bincount(units_of(some)).astype(np.float64))]


def _is_tried(form: HourForm, rows: int, hours: LocalHours) -> bool:
    return rows >= ROWS_A_PARAMETER * form.parameters and (not form.weekend or hours.cover_two_weeks)


def _evenly(rows: int) -> NDArray[np.intp]:
    """At most `CHOOSING_ROWS` rows, one at a random place of each stretch, so that no pattern of the rows matters."""
    if rows <= CHOOSING_ROWS:
        return np.arange(rows)
    places = np.arange(CHOOSING_ROWS) + np.random.default_rng(0).random(CHOOSING_ROWS)
    return np.unique((places * (rows / CHOOSING_ROWS)).astype(np.intp))


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
