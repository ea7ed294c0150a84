"""What the Model drift board shows for replicas with their own windows, by promtool on invented series."""

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
    assert (0, "") == promtool([(labels, value)], panel, tmp_path)


def test_a_state_is_over_all_replicas(tmp_path: Path) -> None:
    """Drift of one replica is enough; a feature has no verdict only if no replica has one."""
    expected = [("alcohol", 1), ("ph", 0), ("colour", 2), ("sulphates", 0)]
    samples = [(f'{{{MODEL},feature="{feature}"}}', float(value)) for feature, value in expected]

    assert (0, "") == promtool(samples, "Features over time", tmp_path)


def promtool(samples: list[tuple[str, float]], panel: str, directory: Path) -> tuple[int, str]:
    """Check the samples that a panel shows; returns the exit code and standard error."""
    expected = [{"labels": labels, "value": value} for labels, value in samples]
    check = {"expr": shown(panel), "eval_time": "0s", "exp_samples": expected}
    tests = [{"interval": "1m", "input_series": SERIES, "promql_expr_test": [check]}]
    cases = directory / "cases.yaml"
    cases.write_text(json.dumps({"evaluation_interval": "1m", "tests": tests}))  # JSON is YAML
    done = subprocess.run(
        [program("promtool"), "test", "rules", cases], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stderr
