"""Results on labelled predictions as JSON."""

import json
import math
from dataclasses import replace

from driftgauge.drift.outcomes.outcome_report import OutcomeTest
from driftgauge.page.as_json import models_as_json
from driftgauge.page.outcomes_as_json import outcomes_as_json
from driftgauge.results.latest import Evaluation, ModelEvaluations
from driftgauge.results.model_state import model_state, state_of_report
from tests.support.models import IRIS, WINE
from tests.support.outcome_reports import GRADE, RESULT, WAITING, WORSE, result_of
from tests.support.reports import FOUND


def test_an_output_has_its_keys() -> None:
    """Tests, metrics with intervals, classes, confusion matrix and calibration."""
    found = outcomes_as_json(RESULT)
    grade = found["outputs"][0]

    assert {key: found[key] for key in ("rows", "coverage", "source", "responses_pending", "responses_kept_ratio")} == {
        "rows": 412,
        "coverage": 0.5,
        "source": "reference",
        "responses_pending": 300,
        "responses_kept_ratio": 0.25,
    }
    assert {key: grade[key] for key in ("output", "task", "rows", "reference_rows", "selection")} == {
        "output": "grade",
        "task": "classification",
        "rows": 400,
        "reference_rows": 1_000,
        "selection": 0.125,
    }
    assert grade["tests"][0] == {
        "test": "performance",
        "state": "drift",
        "reason": None,
        "explanation": None,
        "statistic": 9.25,
        "threshold": 7.0,
        "drift": True,
        "since": 900.0,
        "detectable": 0.05,
    }
    assert grade["metrics"][0] == {
        "metric": "accuracy",
        "sample": "window",
        "value": 0.75,
        "lower": 0.7,
        "upper": 0.8,
    }
    assert grade["confusion"]["window"] == [[75, 75], [25, 225]]
    assert grade["calibration"][1]["window"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_test_without_a_verdict_has_a_reason() -> None:
    """In a word and in a clause; a threshold that nothing reaches is null."""
    untested = outcomes_as_json(RESULT)["outputs"][1]["tests"][0]
    out_of_reach = replace(result_of(OutcomeTest.CONCEPT, 0.0), threshold=math.inf)
    result = replace(RESULT, report=replace(WORSE, outputs=(replace(GRADE, tests=(out_of_reach,)),)))

    assert (untested["state"], untested["reason"]) == ("cannot_tell", "few_labels")
    assert untested["explanation"] == "12 labels have come, 200 are needed"
    assert outcomes_as_json(result)["outputs"][0]["tests"][0]["threshold"] is None


def test_what_waits_is_there_before_any_label() -> None:
    """With the same keys."""
    found = outcomes_as_json(WAITING)

    assert found.keys() == outcomes_as_json(RESULT).keys()
    assert (found["outputs"], found["source"], found["responses_pending"]) == ([], None, 300)


def test_a_model_has_its_outcomes() -> None:
    """In the JSON of all models; a model without labels has null."""
    evaluation = Evaluation(FOUND, 1_000, 0.01, 999)
    models = [ModelEvaluations(model, evaluation, None) for model in (IRIS, WINE)]
    states = dict.fromkeys((IRIS, WINE), model_state([state_of_report(FOUND)]))
    iris, wine = json.loads(models_as_json(models, states, {WINE: RESULT}))["models"]

    assert iris["outcomes"] is None
    assert wine["outcomes"] == outcomes_as_json(RESULT)
