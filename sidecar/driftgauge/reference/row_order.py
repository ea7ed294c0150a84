"""What the order and the times of the rows add to the profiles of a reference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.fit import fit_hour_models
from driftgauge.drift.hours.hour_buckets import hour_buckets
from driftgauge.drift.hours.hour_model import HourModel
from driftgauge.drift.hours.hour_shares import fit_hour_shares
from driftgauge.drift.profile import Cells, FeatureKind, Profile, numeric_profile

_FITTED_VALUES = 2**20
"""Values to which models are fitted at a time: 8 MiB, and some copies of them."""


@dataclass(frozen=True, slots=True, eq=False)
class RowTimes:
    """The times of the rows of a reference.

    Args:
        times: Shape `(n,)`, ascending: seconds since the epoch.
        zone: The time zone of the hours of the day.
    """

    times: NDArray[np.float64]
    zone: str


def in_order(
    profiles: Sequence[Profile], rows: NDArray[np.float64], row_times: RowTimes | None = None
) -> tuple[Profile, ...]:
    """The profiles with the cells of their rows in the order of time, and with what is known of hours.

    Args:
        profiles: d columns.
        rows: Shape `(n, d)`, float64: their values in the order of time, NaN for a missing value.
        row_times: With times, numeric columns have the values that they would have at the average hour.
    """
    if row_times is None:
        return tuple(_with_cells(profile, rows[:, index]) for index, profile in enumerate(profiles))
    numeric = [index for index, profile in enumerate(profiles) if profile.kind is FeatureKind.NUMERIC]
    models = _fit_models(rows, numeric, row_times)
    requests = np.cumsum(np.diff(row_times.times, prepend=-np.inf) > 0, dtype=np.int64)
    requests.flags.writeable = False
    return tuple(
        replace(_by_hour(profile, rows[:, index], models.get(index), row_times), requests=requests)
        for index, profile in enumerate(profiles)
    )


def _fit_models(rows: NDArray[np.float64], columns: Sequence[int], row_times: RowTimes) -> dict[int, HourModel]:
    """The models of some columns, a few at a time, since fitting copies them."""
    step = max(1, _FITTED_VALUES // max(1, len(rows)))
    parts = [columns[start : start + step] for start in range(0, len(columns), step)]
    fitted = [fit_hour_models(rows[:, part], row_times.times, row_times.zone) for part in parts]
    return dict(zip(columns, [model for models in fitted for model in models], strict=True))


def _by_hour(profile: Profile, column: NDArray[np.float64], model: HourModel | None, row_times: RowTimes) -> Profile:
    """The profile with what is known of the hours of its values, and of its missing values."""
    if profile.kind is FeatureKind.IGNORED:
        return _with_cells(profile, column)
    found = (
        _shared_by_hour(profile, column, row_times) if model is None else _adjusted(profile, column, model, row_times)
    )
    if profile.missing > 0:
        missing = np.isnan(column).astype(np.intp)
        found = replace(found, missing_by_hour=fit_hour_shares(missing, 2, row_times.times, row_times.zone))
    return _in_buckets(found, row_times.times)


def _in_buckets(profile: Profile, times: NDArray[np.float64]) -> Profile:
    """The profile with the cells of its rows in their buckets of hours, where it has any."""
    share = profile.missing / profile.rows
    buckets = hour_buckets(profile.cells.shares, share, profile.shares_by_hour, profile.missing_by_hour)
    if buckets is None or profile.in_order is None:
        return profile
    cells = profile.in_order + (buckets.of(times) * buckets.cells).astype(np.uint16)
    cells.flags.writeable = False
    return replace(profile, buckets=buckets, in_order=cells)


def _shared_by_hour(profile: Profile, column: NDArray[np.float64], row_times: RowTimes) -> Profile:
    """The profile of categories with their shares by hour."""
    present = ~np.isnan(column)
    cells, times = profile.cells.index(column[present]), row_times.times[present]
    shares = fit_hour_shares(cells, profile.cells.shares.size, times, row_times.zone)
    return replace(_with_cells(profile, column), shares_by_hour=shares)


def _adjusted(profile: Profile, column: NDArray[np.float64], model: HourModel, row_times: RowTimes) -> Profile:
    """The profile of a column of numbers as they would be at the average hour."""
    adjusted = model.adjust(column, row_times.times)
    if adjusted is not column:
        values = adjusted[~np.isnan(adjusted)]
        values.sort()
        values.flags.writeable = False
        profile = numeric_profile(profile.name, values, profile.missing)
    return replace(_with_cells(profile, adjusted), hours=model, parameters=float(model.parameters))


def _with_cells(profile: Profile, column: NDArray[np.float64]) -> Profile:
    """The profile with the cells of its rows; all rows of a column that is left out lack it."""
    values = np.full(column.shape, np.nan) if profile.kind is FeatureKind.IGNORED else column
    return replace(profile, in_order=cells_in_order(profile.cells, values))


def cells_in_order(cells: Cells, column: NDArray[np.float64]) -> NDArray[np.uint16]:
    """The cell of each row; the number of cells for a row without a value.

    Args:
        cells: The partition of the column.
        column: Shape `(n,)`, float64, NaN for a missing value.
    """
    found = np.full(column.size, cells.shares.size, dtype=np.uint16)
    present = ~np.isnan(column)
    found[present] = cells.index(column[present])
    found.flags.writeable = False
    return found
