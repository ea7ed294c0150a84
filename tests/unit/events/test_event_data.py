"""The data of events is as their published schema says, for every verdict and state."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from driftgauge.drift.outcomes.outcome_report import OutcomeReport
from driftgauge.events.event_facts import MAX_FEATURES
from driftgauge.events.event_message import SCHEMA, Links, event_data, event_request, source_of, subject_of
from driftgauge.events.model_changes import ModelChanges, VerdictChange
from driftgauge.events.verdicts import Verdict, VerdictKey, verdicts_of
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.results.latest import Evaluation, LatestEvaluations, ReferenceFacts
from driftgauge.results.latest_outcomes import LatestOutcomes, OutcomeResult, WaitingFacts
from tests.support.changes import DRIFT, LIMITS, OK
from tests.support.models import WINE
from tests.support.outcome_reports import GRADE
from tests.support.reports import FOUND, TOO_FEW, moved, report_of

FILE = resources.files("driftgauge.page").joinpath("schemas", "event-1.schema.json")
FACTS = ReferenceFacts(1_599, "ab12", "/mnt/wine.csv", 500.0)
LINKS = Links("https://drift.example.com", "https://grafana.example.com/d/wine", window=True)
ODD = ModelKey("", "w\udc80\n", "predictor", "x" * 250, "ü%")


def schema() -> Draft202012Validator:
    """The published schema, as one that checks formats too."""
    content = json.loads(FILE.read_text())
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content, format_checker=Draft202012Validator.FORMAT_CHECKER)


def latest_of(model: ModelKey, report: Any, facts: ReferenceFacts | None = FACTS) -> LatestEvaluations:  # noqa: ANN401 - of any form
    """The newest evaluations of a model with one report on inputs and predictions."""
    latest = LatestEvaluations(1e9, lambda: 1_000.0)
    for kind in (Kind.REQUEST, Kind.RESPONSE):
        latest.set_reference(model, kind, facts)
        latest.publish(model, kind, Evaluation(report, 1_000.0, 0.1, 990.0))
    return latest


def labelled_of(model: ModelKey) -> LatestOutcomes:
    """The newest outcomes of a model with one output."""
    outcomes = LatestOutcomes(1e9, lambda: 1_000.0)
    report = OutcomeReport(outputs=(GRADE,), rows=400, coverage=0.5, source="reference", reading="Worse.")
    waiting = WaitingFacts(10, 1.0)
    result = OutcomeResult(report=report, waiting=waiting, time=1_000.0, duration_seconds=0.1, window_time=None)
    outcomes.publish(model, result)
    return outcomes


def data_of(model: ModelKey, report: Any, previous: str = OK) -> Mapping[VerdictKey, dict[str, Any]]:  # noqa: ANN401 - of any form
    """The data of an event on each verdict on a model."""
    seen = verdicts_of(model, latest_of(model, report), labelled_of(model))
    return {
        key: event_data(model, LINKS, VerdictChange(key, one, previous, 900.0, 1_000.0)) for key, one in seen.items()
    }


@pytest.mark.parametrize("model", [WINE, WINE._replace(revision="v2"), ODD], ids=["usual", "revision", "odd"])
@pytest.mark.parametrize("report", [FOUND, TOO_FEW, report_of(moved("ph", 0.1, 0.2))], ids=["drift", "few", "ok"])
def test_every_event_fits_the_schema(model: ModelKey, report: Any) -> None:  # noqa: ANN401 - of any form
    """Inputs, predictions, performance, concept and reference."""
    found = data_of(model, report)
    assert 5 == len(found)
    for key, data in found.items():
        assert [] == [error.message for error in schema().iter_errors(json.loads(json.dumps(data)))], key


def test_without_a_reference() -> None:
    """That there is none is a verdict too, of inputs alone."""
    latest = LatestEvaluations(90, lambda: 1_000.0)
    latest.set_reference(WINE, Kind.REQUEST, None)
    ((key, seen),) = verdicts_of(WINE, latest, None).items()
    data = event_data(WINE, Links(), VerdictChange(key, seen, OK, 900.0, 1_000.0))
    assert [] == list(schema().iter_errors(data))
    assert ("cannot_tell", "no_reference") == (data["state"], data["reason"])


def test_what_is_not_evaluated_has_no_verdict() -> None:
    """A model that waits for its first evaluation, or whose store is away, does not change."""
    latest = LatestEvaluations(90, lambda: 1_000.0)
    assert {} == verdicts_of(WINE, latest, None)
    latest.set_reference(WINE, Kind.REQUEST, FACTS)
    latest.record_store_failure(WINE, Kind.REQUEST)
    assert [VerdictKey(Verdict.REFERENCE)] == list(verdicts_of(WINE, latest, None))


def test_drift_in_numbers() -> None:
    """An event has what a person needs first: the feature, its statistic, threshold, evidence, and where to look."""
    data = data_of(WINE, FOUND)[VerdictKey(Verdict.DRIFT, "inputs")]
    (feature,) = data["features"]
    assert ("alcohol", 0.5, 0.25, 9.5, 7.0) == tuple(
        feature[name] for name in ("feature", "statistic", "threshold", "evidence", "evidence_threshold")
    )
    assert "1970-01-01T00:15:00.000Z" == data["since"] == feature["since"]
    assert {"source": "reference", "digest": "ab12", "rows": 1_599}.items() <= data["reference"].items()
    query = "namespace=cellar&inference_service=wine&component=predictor&model_name=wine"
    assert {
        "report": f"https://drift.example.com/report?{query}",
        "window": f"https://drift.example.com/window?{query}",
        "board": "https://grafana.example.com/d/wine",
    } == data["links"]


def test_the_span_of_the_window() -> None:
    """The oldest row passed when the rate of rows says."""
    data = data_of(WINE, replace(FOUND, rows_per_second=2.0))[VerdictKey(Verdict.DRIFT, "inputs")]
    assert {"rows": 100, "start": "1970-01-01T00:15:40.000Z", "end": "1970-01-01T00:16:30.000Z"} == data["window"]


def test_bounded() -> None:
    """Of a thousand features that drift, the twenty that drift most are named, in less than 32 KiB."""
    report = report_of(*(moved("ü" * 300 + str(n), n / 1_000, 0.1, drift=True) for n in range(1_000)))
    data = data_of(WINE, report)[VerdictKey(Verdict.DRIFT, "inputs")]
    assert MAX_FEATURES == len(data["features"])
    assert 1_000 == data["drifted_features"]
    assert [0.999, 0.998] == [one["statistic"] for one in data["features"][:2]]
    assert 32 * 1024 > len(json.dumps(data))


def test_odd_names() -> None:
    """Names of any characters make a source, a subject and extensions that can be sent; Knative's replace ours."""
    changes = ModelChanges(ODD, LIMITS)
    seen = verdicts_of(ODD, latest_of(ODD, FOUND), None)
    changes.observe(seen, 1_000.0, lambda _: "{}")
    headers, _ = event_request(ODD, changes.pending[0], {"team": "wine", "component": "mine"})
    assert ("/inferenceservices/w%ED%B2%80%0A", "wine", "mine") == (
        source_of(ODD),
        headers["ce-team"],
        headers["ce-component"],
    )
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert subject_of(WINE._replace(revision="v2")) == "predictor/wine/v2"


def test_the_name_of_the_schema() -> None:
    """Events name the schema by its own id."""
    assert SCHEMA == json.loads(FILE.read_text())["$id"]
    assert DRIFT in json.loads(FILE.read_text())["properties"]["state"]["enum"]
