"""The limits that docs/security.md names exist with these values, and its reasons and links are right."""

import re
from functools import reduce
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from driftgauge.config.load import MODES
from driftgauge.errors import Reason
from driftgauge.metrics.event_counts import EventOutcome
from driftgauge.metrics.forward_counts import ForwardLoss
from driftgauge.server.tls import HandshakeFailure

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
UNITS = {"": 1, "s": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
LIMITS = re.findall(r"^\| `([\w.]+)` \| ([\d,]+) ?(\w*) \| (.*?) \|", PAGE, re.MULTILINE)


def value_of(name: str) -> object:
    """The default of an option, or of an attribute (`package.module.Class.name`), or the value of a constant."""
    options = {option: field.default for mode in MODES.values() for option, field in mode.model_fields.items()}
    if "." not in name:
        return options[name]
    words = name.split(".")
    depth = 3 if find_spec(f"driftgauge.{words[0]}.{words[1]}").submodule_search_locations else 2  # type: ignore[union-attr]
    constant, *attributes = words[depth:]
    found = getattr(import_module(".".join(["driftgauge", *words[:depth]])), constant)
    return reduce(getattr, attributes, found() if attributes else found)


@pytest.mark.parametrize(("name", "number", "unit"), [limit[:3] for limit in LIMITS], ids=[one[0] for one in LIMITS])
def test_every_limit_has_its_value(name: str, number: str, unit: str) -> None:
    """The table is what the code and the options say."""
    assert int(number.replace(",", "")) * UNITS[unit] == value_of(name)


def test_the_whole_table_is_read() -> None:
    """Each line of the table of limits has a name, a value and an effect."""
    section = PAGE.partition("## Limits")[2].partition("## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]

    assert len(LIMITS) == len(lines) - 1


def test_every_reason_is_one() -> None:
    """What stands in code marks beside a limit is a reason of a metric, or a metric."""
    named = {word for _, _, _, effect in LIMITS for word in re.findall(r"`([^`]+)`", effect)}
    metrics = {
        "driftgauge_refused_connections_total",
        "driftgauge_tls_handshake_failures_total",
        "driftgauge_forwarded_events_total",
        "driftgauge_events_total",
    }

    others = {"(other)", 'revision="(other)"'}
    assert named - others - metrics <= {*Reason, *ForwardLoss, *EventOutcome, *HandshakeFailure}


def test_every_option_that_bounds_input_is_in_the_table() -> None:
    """An option whose name says that it is a limit of what comes from outside is explained."""
    bounds = {name for mode in MODES.values() for name in mode.model_fields if name.startswith(("max_", "queue_"))}

    assert bounds <= {name for name, *_ in LIMITS}


def test_the_policy_leads_to_the_page() -> None:
    """SECURITY.md names files and headings that exist."""
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)}
    links = re.findall(r"\]\(docs/security\.md#([\w-]+)\)", (ROOT / "SECURITY.md").read_text())

    assert set(links) == {"measured", "who-can-do-what"}
    assert set(links) <= headings
