"""The alert rules: complete, explained, and tested by promtool with the YAML files of this directory."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from driftgauge.page.runbook import heading_id
from tests.support.boards import ALERTS, Tree, rules
from tests.support.parts import program

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "sidecar" / "driftgauge" / "page" / "runbooks"
CASES = sorted(Path(__file__).parent.glob("*.yaml"))
RULES = rules()
VALUES = yaml.safe_load((ALERTS.parents[1] / "values.yaml").read_text())["prometheusRule"]
SEVERITIES = {"critical", "warning", "info"}


def firing_by_alert() -> dict[str, list[list[str]]]:
    """Alert -> for each test the labels that are expected to fire, one text for each check."""
    found = defaultdict(list)
    for path in CASES:
        for test in yaml.safe_load(path.read_text())["tests"]:
            checks = test["promql_expr_test"]
            name = re.findall(r'alertname="(\w+)"', checks[0]["expr"])[0]
            found[name].append([" ".join(one["labels"] for one in check["exp_samples"]) for check in checks])
    return found


@pytest.fixture(params=RULES, ids=lambda rule: str(rule["alert"]))
def rule(request: pytest.FixtureRequest) -> Tree:
    """Each rule."""
    found: Tree = request.param
    return found


def promtool(*arguments: str | Path) -> tuple[int, str]:
    """Run promtool; returns its exit code and standard error."""
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_rules_fire_when_they_should(cases: Path) -> None:
    """Invented series are checked before, pending, firing and resolved, and some must not alarm."""
    assert (0, "") == promtool("test", "rules", cases)


def test_promtool_accepts_the_file() -> None:
    """`promtool check rules` finds no error and no duplicate."""
    assert (0, "") == promtool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)


def test_every_rule_has_its_cases() -> None:
    """Each alert has a test in which it is silent, fires and is resolved."""
    complete = {
        name
        for name, tests in firing_by_alert().items()
        if any(not checks[0] and any(checks) and not checks[-1] for checks in tests)
    }

    assert {one["alert"] for one in RULES} == complete


def test_high_error_rate_is_the_rule_of_the_article() -> None:
    """Name, expression and duration are the same; it is a warning, because the alert on the ratio pages.

    Source: L. Berton, "Monitoring ML Models in Kubernetes: A Practical Guide", 2026, section "Alerting".
    """
    (rule,) = (one for one in RULES if one["alert"] == "HighErrorRate")

    assert ("rate(request_error_count[5m]) > 0.05", "5m", {"severity": "warning"}) == (
        rule["expr"],
        rule["for"],
        rule["labels"],
    )


def test_alerts_say_what_to_do(rule: Tree) -> None:
    """Each has a severity, a summary, a description, and a duration."""
    assert rule["labels"]["severity"] in SEVERITIES
    assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
    assert rule["for"]
    assert all(text.strip() == text and "\n" not in text for text in rule["annotations"].values())


def test_annotations_use_labels_that_the_alert_has(rule: Tree) -> None:
    """Prometheus renders a missing label as an empty text."""
    fired = " ".join(text for checks in firing_by_alert()[rule["alert"]] for text in checks)
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))

    assert named <= set(re.findall(r"(\w+)=\"", fired))


def test_runbooks_have_a_section_for_every_alert(rule: Tree) -> None:
    """The page that `runbook_url` names has a heading with the alert's name."""
    page = (RUNBOOKS / f"{Path(urlsplit(rule['annotations']['runbook_url']).path).name}.md").read_text()

    assert re.search(rf"^## {rule['alert']}$", page, re.MULTILINE)


def test_the_address_of_a_runbook_leads_to_the_section_of_the_alert(rule: Tree) -> None:
    """It is absolute, has the page's path at the admin port, and the heading's identifier."""
    address = urlsplit(rule["annotations"]["runbook_url"])
    page = (RUNBOOKS / f"{Path(address.path).name}.md").read_text()
    headings = [heading_id(title) for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)]

    assert ("http", "driftgauge.monitoring.svc.cluster.local:9464") == (address.scheme, address.netloc)
    assert f"/runbooks/{Path(address.path).name}" == address.path
    assert address.fragment in headings


def test_runbooks_name_existing_alerts() -> None:
    """Every alert that a runbook names has a rule."""
    pages = " ".join(path.read_text() for path in RUNBOOKS.glob("*.md"))
    named = set(re.findall(r"\b(Driftgauge[A-Z]\w+|HighErrorRate)\b", pages))

    assert {one["alert"] for one in RULES} == named


def test_runbooks_name_the_thresholds_that_values_change() -> None:
    """The section of each alert with a threshold in the chart's values says so, and no other value is named."""
    pages = " ".join(path.read_text() for path in RUNBOOKS.glob("*.md"))
    sections = dict(re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", pages, re.MULTILINE | re.DOTALL))
    named = {name for name, text in sections.items() if f"prometheusRule.thresholds.{name}" in text}

    assert set(VALUES["thresholds"]) == named
    assert named == set(re.findall(r"prometheusRule\.thresholds\.(\w+)", pages))
