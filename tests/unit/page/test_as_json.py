"""A report as JSON."""

import json
import math
from dataclasses import replace

from driftgauge.page.as_json import report_as_json
from tests.support.reports import ALCOHOL, COLOUR, FOUND, NO_COLOUR, TOO_FEW, moved, report_of


def test_a_feature_has_its_keys() -> None:
    """They are the windowed distance, the verdict of all tests, and each test by itself."""
    feature = replace(
        ALCOHOL, rows_to_detect=346, reference_effective_rows=800.0, dependence={"location": 4.0, "below": None}
    )
    found = report_as_json(report_of(feature))["features"][0]

    assert {
        "feature": "alcohol",
        "kind": "numeric",
        "test": "ks",
        "statistic": 0.5,
        "p_value": 0.001,
        "threshold": 0.25,
        "state": "drift",
        "reason": None,
        "drift": True,
        "rows": 90,
        "missing": 10,
        "outside": 3,
        "effective_rows": 30.0,
        "detectable": 0.375,
        "rows_to_detect": 346,
        "reference_effective_rows": 800.0,
        "dependence": {"location": 4.0, "below": None},
        "effects": {"psi": 0.75, "jensen_shannon": 0.5, "wasserstein": 1.25},
        "change": "drift",
        "reading": "alcohol has moved.",
        "since": 900.0,
        "alike_since": None,
        "tests": [
            {"test": "ks", "statistic": 0.5, "p_value": 0.001, "threshold": 0.25, "drift": True},
            {"test": "missing", "statistic": 0.1, "p_value": 0.02, "threshold": 0.2, "drift": False},
            {"test": "sequential", "statistic": 9.5, "p_value": None, "threshold": 7.0, "drift": True},
        ],
        "histogram": [
            {"bin": "below", "upper": 0.0, "reference": 0.0, "window": 0.25},
            {"bin": "0", "upper": 5.0, "reference": 1.0, "window": 0.625},
            {"bin": "missing", "upper": None, "reference": 0.0, "window": 0.125},
        ],
        "window_quantiles": list(ALCOHOL.window_quantiles),
        "reference_quantiles": list(ALCOHOL.reference_quantiles),
    } == found


def test_the_verdict_is_that_of_all_tests() -> None:
    """A distance without alarm is drift if another test alarms."""
    distance, *others = ALCOHOL.tests
    feature = replace(ALCOHOL, tests=(replace(distance, drift=False), *others))
    found = report_as_json(replace(FOUND, features=(feature,)))["features"][0]

    assert (True, False) == (found["drift"], found["tests"][0]["drift"])


def test_infinity_is_null() -> None:
    """Where nothing could alarm, the threshold and the detectable distance are null."""
    found = report_as_json(FOUND)["features"][1]

    assert math.inf == COLOUR.detectable
    assert (None, None, None) == (found["threshold"], found["tests"][0]["threshold"], found["detectable"])
    assert json.dumps(found, allow_nan=False)


def test_a_feature_without_verdict_has_a_reason() -> None:
    """Its verdict is null, and it is listed with what prevents a verdict, in a word and in a sentence."""
    found = report_as_json(FOUND)

    colour = found["features"][1]

    assert (None, NO_COLOUR.feature) == (colour["drift"], colour["feature"])
    assert ("cannot_tell", "reference_small") == (colour["state"], colour["reason"])
    assert ["colour", "sulphates"] == found["untested"]
    assert {
        "feature": "colour",
        "reason": "reference_small",
        "reading": "Cannot tell: the reference has 8 values, too few for any window to alarm.",
    } == found["could_not_tell"][0]


def test_a_report_without_verdict() -> None:
    """Its verdict is null."""
    assert {
        "rows": 7,
        "state": "cannot_tell",
        "reason": "few_rows",
        "drift": None,
        "drifted_features": None,
        "reading": "7 rows are too few.",
        "features": [],
        "untested": ["alcohol", "colour"],
        "could_not_tell": [
            {
                "feature": name,
                "reason": "few_rows",
                "reading": "Cannot tell: the window has 7 rows, 50 are needed.",
            }
            for name in ("alcohol", "colour")
        ],
        "ignored": [],
    } == report_as_json(TOO_FEW)


def test_the_state_of_a_report_is_that_of_its_features() -> None:
    """It drifts if any feature does, and without drift it is ok if any feature has a verdict; these have no reason."""
    partly = replace(report_of(moved("acid", 0.1, 0.2)), untested=(NO_COLOUR,))
    found = [report_as_json(one) for one in (FOUND, partly)]

    assert [("drift", None), ("ok", None)] == [(one["state"], one["reason"]) for one in found]
    assert ("ok", None) == (found[1]["features"][0]["state"], found[1]["features"][0]["reason"])


def test_half_of_a_surrogate_pair_is_escaped() -> None:
    """UTF-8 cannot encode it."""
    feature = replace(ALCOHOL, feature="a\ud800")

    assert r"a\ud800" == report_as_json(replace(FOUND, features=(feature,)))["features"][0]["feature"]
