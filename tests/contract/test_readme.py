"""The tables of metrics and options name what the program has."""

import re
from pathlib import Path

from driftgauge.config.documents import as_markdown
from driftgauge.events.model_changes import EVENT_TYPES
from driftgauge.metrics.registry import Metrics
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_outcomes import LatestOutcomes
from driftgauge.storage.labels import LabelOutcome
from tests.support.models import WINE

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "docs" / "metrics.md"
OPTIONS = ROOT / "docs" / "options.md"


def section(document: Path, name: str) -> str:
    """The text between two marks of a document."""
    found = re.search(f"<!-- {name} -->\n(.*)<!-- /{name} -->", document.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_table_of_options_is_the_generated_one() -> None:
    """docs/options.md has, between its marks, what `driftgauge options` prints."""
    assert as_markdown() + "\n" == section(OPTIONS, "options")


def test_the_table_of_metrics_names_every_family_and_no_other() -> None:
    """docs/metrics.md lists every metric of the registry, except `process_*`, which the client library adds."""
    metrics = Metrics("200")
    metrics.watch_evaluations(LatestEvaluations(90))
    metrics.watch_outcomes(LatestOutcomes(90))
    metrics.model(WINE)
    metrics.watch_queue(lambda: 0, 1)
    metrics.watch_redis()
    metrics.watch_leases(list, list)
    metrics.watch_forwarding()
    metrics.watch_events(EVENT_TYPES)
    metrics.watch_labels([*LabelOutcome])
    metrics.watch_resending()
    exposed = {
        {"request": "request_count", "request_error": "request_error_count"}.get(
            family.name, family.name + ("_total" if family.type == "counter" else "")
        )
        for family in metrics.registry.collect()
        if not family.name.startswith("process_")
    }

    assert exposed == set(re.findall(r"^\| `(\w+)`", section(METRICS, "metrics"), re.MULTILINE))


def test_the_types_in_the_table_are_the_exposed_ones() -> None:
    """Each counter, gauge and histogram of docs/metrics.md is exposed as that type."""
    metrics = Metrics("200")
    metrics.watch_evaluations(LatestEvaluations(90))
    metrics.watch_outcomes(LatestOutcomes(90))
    metrics.watch_queue(lambda: 0, 1)
    metrics.watch_redis()
    metrics.watch_leases(list, list)
    metrics.watch_forwarding()
    metrics.watch_events(EVENT_TYPES)
    metrics.watch_labels([*LabelOutcome])
    metrics.watch_resending()
    documented = dict(
        re.findall(r"^\| `(\w+?)(?:_total)?` \| (counter|gauge|histogram) ", section(METRICS, "metrics"), re.MULTILINE)
    )

    exposed = {family.name: family.type for family in metrics.registry.collect() if family.name in documented}

    assert exposed == documented
