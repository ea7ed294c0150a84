"""The examples of labels are valid, and post to the port of the chart."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from driftgauge.cli.arguments import make_parser
from driftgauge.labels.label_request import read_target
from tests.support.eventing_rules import eventing_faults
from tests.support.helm import Manifest, scenario
from tests.support.manifests import kubernetes_faults, kubernetes_versions

EXAMPLES = Path(__file__).parents[2] / "examples" / "labels"


def example(name: str) -> Manifest:
    """The one object of an example."""
    found: Manifest = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    return found


def labels_port() -> int:
    """The port for labels of the chart's Service."""
    ports = scenario("labels").one("Service", "drift-driftgauge")["spec"]["ports"]
    return next(int(port["port"]) for port in ports if port["name"] == "labels")


def test_kubernetes_accepts_the_job() -> None:
    """It is valid in each version, and its arguments are a command of driftgauge that posts to the chart's port."""
    job = example("cronjob")
    assert [] == [fault for one in kubernetes_versions() for fault in kubernetes_faults(job, one)]
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    known = make_parser().parse_args(container["args"])
    assert labels_port() == urlsplit(known.url).port
    assert ["DRIFTGAUGE_LABELS_TOKEN"] == [one["name"] for one in container["env"]]


def test_knative_accepts_the_source() -> None:
    """It has only fields that Knative knows, and its sink is a target that the port can read."""
    source = example("kafka-source")
    assert [] == eventing_faults(source)
    sink = urlsplit(source["spec"]["sink"]["uri"])
    assert (labels_port(), "/labels") == (sink.port, sink.path)
    target = read_target(dict(parse_qsl(sink.query)))
    assert ("prod", "wine", "predictor") == target[:3]


@pytest.mark.parametrize("field", ["bootstrapservers", "net", "sink.url"])
def test_a_misspelt_field_is_refused(field: str) -> None:
    """The rules know no other fields."""
    source = example("kafka-source")
    inner, _, last = field.rpartition(".")
    (source["spec"][inner] if inner else source["spec"])[last] = "x"
    assert eventing_faults(source)
