"""The models of the hour that references get, and the values at the average hour."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from driftgauge.drift.hours.fit import fit_hour_models
from driftgauge.drift.hours.hour_forms import FORMS, HourForm
from driftgauge.drift.hours.hour_model import HourModel

Floats = NDArray[np.float64]

MONDAY = 1_704_067_200.0
DAY = 86_400.0


def _times(rows: int, days: float) -> Floats:
    return MONDAY + (np.arange(rows, dtype=np.float64) + 0.5) * (days * DAY / rows)


def _hours(times: Floats) -> Floats:
    return times % DAY / 3600


def test_the_forms_have_the_parameters_of_their_means() -> None:
    """One, two for each harmonic more, or one for each bucket; all twice with a weekend."""
    found = {form.name: form.parameters for form in FORMS}
    expected = {"h0": 1, "h1": 3, "h2": 5, "h3": 7, "h4": 9, "h6": 13, "b24": 24, "b48": 48}
    doubled = {f"{name} x weekend": 2 * count for name, count in expected.items() if name.startswith("h")}

    assert expected | doubled == found


@pytest.mark.parametrize("days", [2.5, 5, 14])
def test_each_feature_gets_the_form_that_it_has(days: float) -> None:
    """No rhythm, a sine of the mean, one of the spread, and steps, with blocks and with days."""
    times = _times(5_000, days)
    noise = np.random.default_rng(1).normal(0, 0.7, (times.size, 8))
    wave = np.sin(2 * np.pi * times / DAY)
    noise[:, 2] += wave
    noise[:, 3] += 0.35 * wave
    noise[:, 4] *= np.exp(0.5 * wave)
    noise[:, 5] += np.where(abs(_hours(times) - 13) < 4.5, 1, -1)
    found = [model.name for model in fit_hour_models(noise, times, "UTC")]

    assert ["h0", "h0", "h1", "h1", "h1"] == found[:5]
    assert found[5] in {"h6", "b24"}
    assert ["h0", "h0"] == found[6:]


def test_weekends_have_their_own_curve_after_two_weeks() -> None:
    """A sine of working days only needs two weeks of rows."""
    times = _times(8_000, 14)
    working = (times - MONDAY) % (7 * DAY) < 5 * DAY
    values = np.random.default_rng(2).normal(0, 0.7, times.size) + working * np.sin(2 * np.pi * times / DAY)

    assert "h1 x weekend" == fit_hour_models(values[:, None], times, "UTC")[0].name
    assert "h1" == fit_hour_models(values[: 8_000 // 2, None], times[: 8_000 // 2], "UTC")[0].name


def test_adjusted_values_have_no_rhythm_and_keep_their_unit() -> None:
    """The mean of each hour is that of all rows, and the spread is that of the noise."""
    times = _times(20_000, 14)
    noise = np.random.default_rng(3).normal(0, 2, times.size)
    wave = np.sin(2 * np.pi * times / DAY)
    values = 500 + 10 * wave + np.exp(0.3 * wave) * noise
    model = fit_hour_models(values[:, None], times, "UTC")[0]
    adjusted = model.adjust(values, times)
    by_hour = np.array([adjusted[_hours(times).astype(int) == hour].mean() for hour in range(24)])

    assert abs(by_hour - 500).max() < 0.35
    assert adjusted.std() == pytest.approx(2 * np.sqrt(np.mean(np.exp(0.6 * wave))), rel=0.03)
    assert abs(adjusted - values).max() > 5


def test_a_shift_of_all_values_shifts_the_adjusted_values() -> None:
    """Drift stays: where the spread is constant, a shift by 1 is a shift by about 1."""
    times = _times(5_000, 5)
    values = np.random.default_rng(4).normal(np.sin(2 * np.pi * times / DAY), 0.7)
    model = fit_hour_models(values[:, None], times, "UTC")[0]
    shift = model.adjust(values + 1, times) - model.adjust(values, times)

    assert 1 == pytest.approx(shift.mean(), abs=0.05)


def test_missing_values_leave_the_model_to_the_other_rows() -> None:
    """A feature with missing values has the model of the rows that it has, its neighbours theirs of all."""
    times = _times(5_000, 5)
    generator = np.random.default_rng(5)
    values = generator.normal(np.sin(2 * np.pi * times / DAY)[:, None], 0.7, (5_000, 3))
    kept = generator.random(5_000) < 0.7
    values[~kept, 1] = np.nan
    found = fit_hour_models(values, times, "UTC")

    assert fit_hour_models(values[kept, 1:2], times[kept], "UTC") == found[1:2]
    assert fit_hour_models(values[:, [0, 2]], times, "UTC") == [found[0], found[2]]
    adjusted = [model.adjust(column, times) for model, column in zip(found, values.T, strict=True)]
    assert np.array_equal(np.isnan(values.T), np.isnan(adjusted))


def test_heavy_tails_and_rare_values_show_no_rhythm() -> None:
    """Lognormal, Cauchy, Poisson, mostly zero, and ten ones among zeros."""
    generator = np.random.default_rng(9)
    times = _times(5_000, 5)
    normal = generator.standard_normal(times.size)
    rare = np.zeros(times.size)
    rare[::500] = 1
    zeros = np.where(generator.random(times.size) < 0.9, 0, normal)
    columns = [
        np.exp(1.5 * normal),
        generator.standard_cauchy(times.size),
        generator.poisson(2, times.size),
        zeros,
        rare,
    ]

    assert ["h0"] * 5 == [model.name for model in fit_hour_models(np.column_stack(columns), times, "UTC")]


def test_far_values_do_not_move_the_curves() -> None:
    """A hundred values of a million among 5,000 of a sine leave the mean of the hours near the sine."""
    times = _times(5_000, 5)
    wave = np.sin(2 * np.pi * times / DAY)
    values = np.random.default_rng(10).normal(wave, 0.3)
    values[np.random.default_rng(11).choice(5_000, 100, replace=False)] = 1e6
    model = fit_hour_models(values[:, None], times, "UTC")[0]
    curve = wave - model.adjust(wave, times)

    assert "h1" == model.name
    assert abs(curve - wave).max() < 0.3


def test_features_that_nothing_can_be_fitted_to_keep_their_values() -> None:
    """Constant, all missing, too large for a variance, and too few rows."""
    times = _times(400, 4)
    values = np.full((400, 4), np.nan)
    values[:, 0] = 3
    values[:, 1] = 1.7e308 * np.linspace(-1, 1, 400)
    values[:5, 2] = np.arange(5)
    found = fit_hour_models(values, times, "UTC")

    assert ["h0"] * 4 == [model.name for model in found]
    assert all(column is model.adjust(column, times) for model, column in zip(found, list(values.T), strict=True))
    assert [] == fit_hour_models(np.empty((0, 0)), np.empty(0), "UTC")
    assert ["h0"] == [model.name for model in fit_hour_models(np.empty((0, 1)), np.empty(0), "UTC")]


def test_hours_outside_the_reference_get_no_wilder_mean_than_its_own() -> None:
    """Harmonics that were fitted to nine hours are not extrapolated over the night."""
    times = _times(20_000, 10)
    times = times[abs(_hours(times) - 13) < 4.5]
    values = np.random.default_rng(6).normal(np.cos((_hours(times) - 9) / 3), 0.3)
    model = fit_hour_models(values[:, None], times, "UTC")[0]
    night = model.adjust(np.zeros(24), MONDAY + 3600 * np.arange(24.0))

    assert "h0" != model.name
    assert abs(night).max() < 2


def test_the_zone_moves_the_hours_of_summer() -> None:
    """A rhythm of office hours in Berlin is one hour earlier in UTC in summer."""
    times = _times(20_000, 200)
    berlin_summer = times >= MONDAY + 90 * DAY
    hours = (times / 3600 + 1 + berlin_summer) % 24
    values = np.random.default_rng(7).normal(np.where(abs(hours - 13) < 4, 5, 0), 0.1)
    local, universal = (
        fit_hour_models(values[:, None], times, zone)[0].adjust(values, times).std()
        for zone in ("Europe/Berlin", "UTC")
    )

    assert local < 0.7 * universal


def test_models_survive_pickling_and_are_small() -> None:
    """The largest form has 96 coefficients."""
    model = HourModel(HourForm(buckets=True, weekend=True), "UTC", (0.1,) * 48, (0.2,) * 48, (-1, 1), (-1, 1))
    packed = pickle.dumps(model)

    assert model == pickle.loads(packed)  # noqa: S301 -- our own bytes
    assert len(packed) < 2_000


@given(arrays(np.float64, 20, elements=st.floats(allow_nan=True, allow_infinity=True)), st.sampled_from(FORMS))
def test_finite_values_stay_finite_and_others_stay_as_they_are(values: Floats, form: HourForm) -> None:
    """Whatever the form, and however large the values."""
    coefficients = tuple(np.linspace(-2, 2, form.parameters).tolist())
    model = HourModel(form, "UTC", coefficients, coefficients, (-5, 5), (-2, 2), 1.0, 3.0)
    adjusted = model.adjust(values, _times(20, 1))

    assert np.array_equal(np.isfinite(values), np.isfinite(adjusted))
    assert np.array_equal(values[~np.isfinite(values)], adjusted[~np.isfinite(values)], equal_nan=True)
    if form.is_constant:
        assert values is adjusted


def test_a_pattern_of_the_rows_does_not_choose_which_rows_are_seen() -> None:
    """Every fourth row of 20,000 has a rhythm: the 5,000 rows that choose are not only these or only others."""
    times = _times(20_000, 10)
    marked = np.arange(20_000) % 4 == 0
    values = np.random.default_rng(8).normal(marked * 3 * np.sin(2 * np.pi * times / DAY), 0.5)

    assert "h0" != fit_hour_models(values[:, None], times, "UTC")[0].name
