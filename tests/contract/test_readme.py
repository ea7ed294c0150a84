"""What the README says of names and options is what the program does."""

import re
from pathlib import Path

from driftgauge.config.documents import as_markdown
from driftgauge.metrics.registry import Metrics
from tests.support.models import WINE

README = (Path(__file__).parents[2] / "README.md").read_text()


def section(name: str) -> str:
    """The text between two marks."""
    found = re.search(f"<!-- {name} -->\n(.*)<!-- /{name} -->", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_table_of_options_is_the_generated_one() -> None:
    """`driftgauge options` prints it; paste it between the marks."""
    assert as_markdown() + "\n" == section("options")


def test_the_table_of_metrics_names_every_family_and_no_other() -> None:
    """`process_*` is the client library's own."""
    metrics = Metrics("200", 90)
    metrics.model(WINE)
    metrics.watch_queue(lambda: 0, 1)
    metrics.watch_redis()
    exposed = {
        {"request": "request_count", "request_error": "request_error_count"}.get(
            family.name, family.name + ("_total" if family.type == "counter" else "")
        )
        for family in metrics.registry.collect()
        if not family.name.startswith("process_")
    }

    assert exposed == set(re.findall(r"^\| `(\w+)`", section("metrics"), re.MULTILINE))


def test_the_types_in_the_table_are_the_exposed_ones() -> None:
    """Counters, gauges and histograms; the two summaries are listed as such."""
    metrics = Metrics("200", 90)
    metrics.watch_queue(lambda: 0, 1)
    metrics.watch_redis()
    reported = dict(
        re.findall(r"^\| `(\w+?)(?:_total)?` \| (counter|gauge|histogram) ", section("metrics"), re.MULTILINE)
    )

    assert reported == {family.name: family.type for family in metrics.registry.collect() if family.name in reported}
