"""The examples of canaries: the commands in them are commands of driftgauge, and their metrics exist."""

import re
from pathlib import Path
from typing import Any

import yaml

from driftgauge.cli.arguments import make_parser
from driftgauge.metrics.registry import Metrics
from tests.support.manifests import kubernetes_faults, kubernetes_versions
from tests.support.models import WINE

EXAMPLES = Path(__file__).parents[2] / "examples" / "canary"


def metrics() -> list[dict[str, Any]]:
    """The metrics of the AnalysisTemplate."""
    found: list[dict[str, Any]] = yaml.safe_load((EXAMPLES / "analysistemplate.yaml").read_text())["spec"]["metrics"]
    return found


def test_the_job_of_the_analysis_is_valid_and_runs_a_command() -> None:
    """Kubernetes accepts it in each version, and its arguments are those of `driftgauge compare`."""
    spec = metrics()[0]["provider"]["job"]["spec"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "compare"}, "spec": spec}
    assert [] == [fault for one in kubernetes_versions() for fault in kubernetes_faults(job, one)]
    (container,) = spec["template"]["spec"]["containers"]
    known = make_parser().parse_args(container["args"])
    assert ("compare", "drift,errors,latency", "10m") == (known.command, known.fail_on, known.wait)


def test_the_query_of_the_analysis_names_metrics_that_exist() -> None:
    """With the label of the revision."""
    query = metrics()[1]["provider"]["prometheus"]["query"]
    series = Metrics("200")
    series.model(WINE._replace(revision="v2")).count_request("200")
    samples = [sample for family in series.registry.collect() for sample in family.samples]
    for name in re.findall(r"\w+_count", query):
        assert any(one.name == name and one.labels["revision"] == "v2" for one in samples)


def test_the_script_has_the_flags_of_the_command() -> None:
    """Each flag of the gate's script is one of `driftgauge compare`."""
    flags = set(re.findall(r"(--[a-z-]+) ", (EXAMPLES / "gate.sh").read_text()))
    values = {flag: "10m" if flag == "--wait" else "drift" for flag in flags}
    known = make_parser().parse_args(["compare", *(part for pair in values.items() for part in pair)])
    assert "compare" == known.command
