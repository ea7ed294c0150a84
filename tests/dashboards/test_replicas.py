"""What the Model drift board shows for replicas and clusters, and which columns it lists, by promtool."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.boards import boards, expressions, variables
from tests.support.parts import program
from tests.support.promql import filled

BOARD = boards()["model-drift"]
MODEL = 'inference_service_namespace="cellar",inference_service="wine",component="predictor",model_name="wine"'


def series(metric: str, pod: str, value: float, more: str = "", feature: str = "alcohol") -> dict[str, str]:
    """A series of a feature from one pod."""
    labels = f'{MODEL},feature="{feature}",job="driftgauge",pod="{pod}"{more}'
    return {"series": f"{metric}{{{labels}}}", "values": f"{value}"}


def states(feature: str, **pods: str) -> list[dict[str, str]]:
    """The series of the states of a feature, for each pod."""
    return [
        series("driftgauge_feature_state", pod, float(one == state), f',state="{one}"', feature)
        for pod, state in pods.items()
        for one in ("ok", "drift", "cannot_tell")
    ]


KS = ',test="ks"'
SERIES = [
    series("driftgauge_feature_drift_statistic", "a", 0.2, KS),
    series("driftgauge_feature_drift_threshold", "a", 0.05, KS),
    series("driftgauge_feature_drift_statistic", "b", 0.1, KS),
    series("driftgauge_feature_drift_threshold", "b", 0.25, KS),
    series("driftgauge_feature_drift_statistic", "b", 9, ',test="sequential"'),
    series("driftgauge_feature_drift_threshold", "b", 1, ',test="sequential"'),
    *states("alcohol", a="drift", b="cannot_tell"),
    *states("ph", a="ok", b="cannot_tell"),
    *states("colour", a="cannot_tell", b="cannot_tell"),
    *states("sulphates", a="ok", b="ok"),
    series("driftgauge_feature_quantile", "a", 10, ',sample="window",level="0.5"'),
    series("driftgauge_feature_quantile", "b", 12, ',sample="window",level="0.5"'),
]


def shown(title: str) -> str:
    """The first expression of a panel, with all values of the variables."""
    text = next(one.text for one in expressions(BOARD) if title in one.place)
    return filled(text, dict.fromkeys(variables(BOARD), ".*"))


@pytest.mark.parametrize(
    ("panel", "labels", "value"),
    [
        ("D against its threshold: features", f'{{{MODEL},feature="alcohol"}}', 4),
        ("Distribution now: $feature", '{level="0.5"}', 11),
    ],
)
def test_replicas_with_windows_of_their_own(panel: str, labels: str, value: float, tmp_path: Path) -> None:
    """The ratio is 0.2 / 0.05 of one replica, not 0.2 / 0.25 of two; deciles are averaged."""
    assert (0, "") == promtool(shown(panel), [(labels, value)], SERIES, tmp_path)


def test_a_state_is_over_all_replicas(tmp_path: Path) -> None:
    """Drift of one replica is enough; a feature has no verdict only if no replica has one."""
    expected = [("alcohol", 1), ("ph", 0), ("colour", 2), ("sulphates", 0)]
    samples = [(f'{{{MODEL},feature="{feature}"}}', float(value)) for feature, value in expected]

    assert (0, "") == promtool(shown("Features over time"), samples, SERIES, tmp_path)


def ratio(feature: str, pod: str, statistic: float, threshold: float, test: str = "ks") -> list[dict[str, str]]:
    """The series of one test of a feature, and of its state."""
    drift = "drift" if statistic > threshold else "ok"
    return [
        series("driftgauge_feature_drift_statistic", pod, statistic, f',test="{test}"', feature),
        series("driftgauge_feature_drift_threshold", pod, threshold, f',test="{test}"', feature),
        *states(feature, **{pod: drift}),
    ]


COLUMNS = [
    *ratio("far", "a", 0.5, 0.125),
    *ratio("other_replica", "a", 0.125, 0.25),
    *ratio("other_replica", "b", 0.375, 0.125),
    *ratio("missing_values", "a", 0.5, 0.25, "missing"),
    *ratio("near", "a", 0.125, 0.25),
    *ratio("out_of_reach", "a", 0.5, float("inf")),
    *ratio("no_distance", "a", 0, 0),
    *states("alarms_by_evidence", a="drift"),
    series("driftgauge_feature_drift_statistic", "a", 99, ',test="sequential"', "near"),
    series("driftgauge_feature_drift_threshold", "a", 1, ',test="sequential"', "near"),
]
RANKS = {
    "far": 1004.0,
    "other_replica": 1003.0,
    "missing_values": 1002.0,
    "alarms_by_evidence": 1000.0,
    "near": 0.5,
    "out_of_reach": 0.0,
    "no_distance": 0.0,
}


@pytest.mark.parametrize(("columns", "listed"), [("3", 3), ("5", 5), ("100000", 7)])
def test_the_farthest_columns_are_listed(columns: str, listed: int, tmp_path: Path) -> None:
    """Those that drift come before the others, by ratios of windowed tests in any replica; no column is left out."""
    samples = [(f'{{feature="{feature}"}}', rank) for feature, rank in list(RANKS.items())[:listed]]

    assert (0, "") == promtool(ranked(columns), samples, COLUMNS, tmp_path)


def test_the_farthest_columns_without_drift_are_listed(tmp_path: Path) -> None:
    """Where nothing is above its threshold, the columns nearest to theirs are listed."""
    calm = [one for number in range(12) for one in ratio(f"f{number}", "a", number / 64, 1)]
    samples = [(f'{{feature="f{number}"}}', number / 64) for number in range(2, 12)]

    assert (0, "") == promtool(ranked("10"), samples, calm, tmp_path)


def test_a_column_that_ended_is_listed(tmp_path: Path) -> None:
    """A model that has scaled to zero within the time range still has columns."""
    ended = [one | {"values": f"{one['values']} stale"} for one in ratio("far", "a", 0.5, 0.125)]

    assert (0, "") == promtool(ranked("10"), [('{feature="far"}', 1004.0)], ended, tmp_path, "30m")


def ranked(columns: str) -> str:
    """The expression of the variable that lists features, for a number of them and a range of an hour."""
    query = variables(BOARD)["feature"]["query"]["query"].removeprefix("query_result(").removesuffix(")")
    return filled(query, dict.fromkeys(variables(BOARD), ".*") | {"farthest": columns, "__range": "1h"})


def drifted_in(label: str, name: str, value: float) -> dict[str, str]:
    """The series of the drifted features of the same model in one cluster, or of one revision."""
    return {"series": f'driftgauge_drifted_features{{{MODEL},job="driftgauge",{label}="{name}"}}', "values": f"{value}"}


@pytest.mark.parametrize("label", ["cluster", "revision"])
@pytest.mark.parametrize(("chosen", "expected"), [("east", {"east": 1}), (".*", {"east": 1, "west": 3, "": 2})])
def test_clusters_and_revisions_are_kept_apart(
    label: str, chosen: str, expected: dict[str, float], tmp_path: Path
) -> None:
    """A model of one name in two clusters, or of two revisions, has two lines; one of them if one is selected."""
    fleet = boards()["fleet"]
    text = next(
        one.text for one in expressions(fleet) if "Fleet / Drifted features A" in one.place and "sum" not in one.text
    )
    expression = filled(text, dict.fromkeys(variables(fleet), ".*") | {label: chosen})
    more = {name: f',{label}="{name}"' if name else "" for name in expected}  # an empty label is no label
    samples = [(f"{{{MODEL}{more[name]}}}", value) for name, value in expected.items()]
    found = [drifted_in(label, name, value) for name, value in (("east", 1), ("west", 3), ("", 2))]

    assert (0, "") == promtool(expression, samples, found, tmp_path)


def promtool(
    expression: str,
    samples: list[tuple[str, float]],
    input_series: list[dict[str, str]],
    directory: Path,
    time: str = "0s",
) -> tuple[int, str]:
    """Check the samples of an expression at a time; returns the exit code and standard error."""
    expected = [{"labels": labels, "value": value} for labels, value in samples]
    check = {"expr": expression, "eval_time": time, "exp_samples": expected}
    tests = [{"interval": "1m", "input_series": input_series, "promql_expr_test": [check]}]
    cases = directory / "cases.yaml"
    cases.write_text(json.dumps({"evaluation_interval": "1m", "tests": tests}))  # JSON is YAML
    done = subprocess.run(
        [program("promtool"), "test", "rules", cases], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stderr
