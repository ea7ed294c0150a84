"""The running process, as it describes itself on its admin port."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import NoneType
from typing import Any, Final, cast

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from driftgauge import __version__
from driftgauge.cli.doctor.finding import Finding, fail, ok, warn
from driftgauge.cli.doctor.http_get import Reply, http_get
from driftgauge.config.load import MODES

SECONDS: Final = 3.0
"""Time for one response of the admin port."""

_METRICS_SECONDS: Final = 10.0
"""Time for the page of metrics, which may have many megabytes."""

_LINES: Final = (
    b"driftgauge_state{",
    b"driftgauge_payloads_total{",
    b"driftgauge_refused_models_total",
    b"driftgauge_refused_revisions_total",
    b"driftgauge_unreadable_annotations_total",
    b"request_count{",
    b"driftgauge_build_info{",
)
_CHECK: Final = "process"

_FORM: Final = {
    "mode": (str, NoneType),
    "flags": dict,
    "flags_hidden": (list, NoneType),
    "config_file": (str, NoneType),
    "ports": dict,
    "last_scrape": ({"time": (int, float), "user_agent": (str, NoneType), "address": (str, NoneType)}, NoneType),
    "references_loaded": (int, NoneType),
    "references": [{"name": str, "path": str, "rows": int, "columns": int, "rows_needed": int}],
}
"""The form of `/status`, as far as it is used. What an older version does not say is `None`."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A running driftgauge.

    Args:
        admin_url: Its admin port.
        status: What `/status` says; empty if it is an older version without it.
        samples: The samples of `/metrics` that are looked at.
        refuses: Whether it refuses to say anything without a valid token.
    """

    admin_url: str
    status: Mapping[str, Any]
    samples: tuple[Sample, ...] = field(default=(), repr=False)
    refuses: bool = False

    @property
    def version(self) -> str:
        """Its version."""
        info = next((sample for sample in self.samples if sample.name == "driftgauge_build_info"), None)
        return str(self.status.get("version") or (info.labels.get("version") if info else "?"))

    @property
    def mode(self) -> str | None:
        """`proxy` or `logger`; `None` if it does not say."""
        mode = self.status.get("mode")
        return mode if mode in MODES else None

    def totals(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The sums of the samples of a name, by the values of some labels; sums of 0 are left out."""
        sums: dict[tuple[str, ...], float] = {}
        for sample in self.samples:
            if sample.name == name and sample.value:
                key = tuple(sample.labels.get(label, "") for label in labels)
                sums[key] = sums.get(key, 0.0) + sample.value
        return sums


async def ask_process(admin_url: str, token: str | None = None) -> RunningProcess | None:
    """Ask for a running driftgauge; returns `None` if none responds there.

    The certificate is not checked: the process runs in the same container, where no certificate has its address.
    """
    status = await http_get(f"{admin_url}/status", SECONDS, token, any_certificate=True)
    if not isinstance(status, Reply):
        return None
    if status.status == HTTPStatus.UNAUTHORIZED:
        return RunningProcess(admin_url, {}, refuses=True)
    metrics = await http_get(f"{admin_url}/metrics", _METRICS_SECONDS, token, any_certificate=True)
    samples = read_samples(metrics.body) if isinstance(metrics, Reply) else ()
    facts = _facts_of(status.json())
    is_ours = bool(facts) or any(sample.name == "driftgauge_build_info" for sample in samples)
    return RunningProcess(admin_url, facts, samples) if is_ours else None


def _facts_of(known: object) -> dict[str, Any]:
    """What `/status` says, if it has the form of a driftgauge's; else nothing."""
    if not isinstance(known, dict) or "version" not in known:
        return {}
    return known if _has_form(known, _FORM) else {}


def _has_form(value: object, form: object) -> bool:
    """Whether a value of JSON has a form: a type, several, an object with at least some members, or a list of one."""
    if isinstance(form, dict):
        return isinstance(value, dict) and all(_has_form(value.get(name), inner) for name, inner in form.items())
    if isinstance(form, list):
        return isinstance(value, list) and all(_has_form(one, form[0]) for one in value)
    if isinstance(form, tuple):
        return any(_has_form(value, one) for one in form)
    return isinstance(value, cast("type", form))


def read_samples(page: bytes) -> tuple[Sample, ...]:
    """The samples of a page of metrics that the doctor looks at; none if it is no such page.

    The other lines, of which there may be a hundred thousand, are not parsed.
    """
    lines = [line for line in page.split(b"\n") if line.startswith(_LINES)]
    try:
        families = list(text_string_to_metric_families(b"\n".join([*lines, b""]).decode("utf-8", "replace")))
    except ValueError:
        return ()
    return tuple(sample for family in families for sample in family.samples)


def check_process(process: RunningProcess | None, admin_url: str) -> list[Finding]:
    """Whether a process runs, is ready, and is of this version; and what it says of its models."""
    if process is None:
        return [warn(_CHECK, f"no driftgauge responds at {admin_url}: start it, or give its --admin-port")]
    if process.refuses:
        return [warn(_CHECK, f"the process at {admin_url} asks for a token: set DRIFTGAUGE_ADMIN_TOKEN")]
    found = [_check_version(process)]
    if process.status.get("not_ready"):
        found.append(fail("ready", f"the process is not ready: {process.status['not_ready']}"))
    elif process.status:
        found.append(ok("ready", "the process is ready"))
    return [*found, _check_states(process)]


def _check_version(process: RunningProcess) -> Finding:
    running = f"driftgauge {process.version}{f' ({process.mode})' if process.mode else ''} at {process.admin_url}"
    if process.version != __version__:
        return warn(_CHECK, f"{running} is not the version of this command, {__version__}: run doctor beside it")
    return ok(_CHECK, running)


def _check_states(process: RunningProcess) -> Finding:
    states = {state: round(number) for (state,), number in process.totals("driftgauge_state", "state").items()}
    if not states:
        return warn("state", "no model has a state yet: it has one after its first request")
    text = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    if set(states) == {"cannot_tell"}:
        return warn("state", f"no model has a verdict ({text}): the page at {process.admin_url}/ has the reasons")
    return ok("state", f"models by state: {text}")
