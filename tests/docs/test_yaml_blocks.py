"""Every YAML block of the documents is what its reader will take: Helm, Kubernetes, KServe, Prometheus, driftgauge.

The kind of a block follows from its content, or from a comment in its first line such as `# values.yaml`. A block of no
kind fails, so a new kind of block needs a new check.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from driftgauge.config.load import MODES, load
from tests.support.eventing_rules import eventing_faults, is_eventing
from tests.support.helm import CHART, render
from tests.support.kserve_rules import rule_faults
from tests.support.manifests import custom_faults, is_custom, kubernetes_faults, kubernetes_versions
from tests.support.markdown_blocks import Block, all_blocks, whole_object, yaml_documents
from tests.support.parts import program

BLOCKS = all_blocks("yaml")
every_block = pytest.mark.parametrize("block", BLOCKS, ids=map(str, BLOCKS))
Check = Callable[[Block, Path], None]


def check_values(block: Block, _: Path) -> None:
    """Helm takes them as values of the chart, and the cluster takes what the chart makes of them."""
    release = render(*yaml_documents(block))

    assert release.objects
    check_objects(release.objects)


def check_cluster(block: Block, _: Path) -> None:
    """The cluster takes each object, and each fragment of an InferenceService; so do the rules beyond its schemas."""
    objects = [whole_object(one) for one in yaml_documents(block)]

    check_objects(objects)
    assert [] == rule_faults(objects)


def check_objects(objects: list[dict[str, object]]) -> None:
    """No field is unknown and no value is wrong, for CRDs, and for the oldest and the newest version of Kubernetes."""
    versions = kubernetes_versions()
    core = [one for one in objects if not is_custom(one) and not is_eventing(one)]
    faults = [custom_faults(one) for one in objects if is_custom(one)]
    faults += [eventing_faults(one) for one in objects if is_eventing(one)]
    faults += [kubernetes_faults(one, version) for version in (versions[0], versions[-1]) for one in core]

    assert [] == [fault for found in faults for fault in found]


def check_options(block: Block, directory: Path) -> None:
    """A mode of driftgauge starts with this file, without a fault."""
    file = directory / "driftgauge.yaml"
    file.write_text(block.text)
    modes = [mode for mode, options in MODES.items() if set(yaml_documents(block)[0]) <= set(options.model_fields)]

    assert modes
    assert all(load(mode, {}, yaml=file) for mode in modes)


def check_with(*command: str) -> Check:
    """A program of Prometheus takes the file."""

    def check(block: Block, directory: Path) -> None:
        file = directory / "block.yaml"
        file.write_text(block.text)
        argv = [program(command[0]), *command[1:], str(file)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)

        assert 0 == done.returncode, done.stdout + done.stderr

    return check


NAMED: dict[str, Check] = {
    "values.yaml": check_values,
    "driftgauge.yaml": check_options,
    "prometheus.yml": check_with("promtool", "check", "config"),
    "rules.yaml": check_with("promtool", "check", "rules"),
    "alertmanager.yml": check_with("amtool", "check-config"),
}
"""The file that the first line of a block names -> its check."""

OF_KEYS: dict[str, Check] = {
    "apiVersion": check_cluster,
    "spec": check_cluster,
    "scrape_configs": NAMED["prometheus.yml"],
    "groups": NAMED["rules.yaml"],
    "receivers": NAMED["alertmanager.yml"],
}
"""A key at the top of a block -> its check."""


def check_of(block: Block) -> Check | None:
    """The check of a block, by its first line or by its keys, which may all be values of the chart."""
    named = block.text.partition("\n")[0].removeprefix("# ")
    keys = [key for document in yaml_documents(block) for key in document]
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    found = NAMED.get(named) or next((OF_KEYS[key] for key in keys if key in OF_KEYS), None)
    return found or (check_values if set(keys) <= set(values) else None)


@every_block
def test_its_reader_takes_it(block: Block, tmp_path: Path) -> None:
    """Values render, objects fit their schemas, configurations pass the programs that read them."""
    check = check_of(block)

    assert check is not None, f"{block}: name its file in the first line ({', '.join(NAMED)}), or teach this test"
    check(block, tmp_path)


def test_there_are_blocks_of_several_kinds() -> None:
    """The search finds the blocks: values of the chart, objects, and a configuration of Prometheus' programs."""
    checks = {check_of(block) for block in BLOCKS}

    assert {check_values, check_cluster, NAMED["alertmanager.yml"]} <= checks


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# values.yaml\nimage:\n  repo_name: a\n", "repo_name"),
        ("spec:\n  predictor:\n    logger: {mode: sometimes}\n", "sometimes"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndate: {}\n", "date"),
        ("apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: a}\nspec: {broker: b}\n", "subscriber"),
        ("# driftgauge.yaml\nwindow_rows: few\n", "window_rows"),
        ("groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]\n", "could not parse expression"),
    ],
)
def test_a_fault_is_found(text: str, sentence: str, tmp_path: Path) -> None:
    """A misspelled value, field, option or expression is no reader's file."""
    block = Block("page.md", 1, "yaml", text)
    check = check_of(block)
    assert check is not None

    with pytest.raises(Exception, match=sentence):
        check(block, tmp_path)


def test_a_block_of_no_kind_is_found() -> None:
    """It has no check, so that a person must decide what it is."""
    assert check_of(Block("page.md", 1, "yaml", "stages: [build]\n")) is None
