"""`python -m tests.style.lock_audit LOCK...`: look for published advisories on the packages of lock files.

pip-audit asks a database of advisories: PyPI's JSON API, or OSV where that has none. A mirror may serve packages
without advisories, so each database is first asked about a version with known ones. Where none replies, that is
printed, and the exit code is 0: a machine without network is no fault of the locks. The exit code is 1 if a package has
an advisory, and 2 if pip-audit is not installed.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

SERVICES: Mapping[str, str] = {"pypi": "PyPI's JSON API", "osv": "OSV"}
"""The databases that pip-audit can ask."""

PROBE = "urllib3==1.24.1"
"""It has had advisories since 2019."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+==[^\s;\\]+)", re.MULTILINE)
_ASK_SECONDS = 300

Ask = Callable[[str, Iterable[str]], str]
"""Asks a database about pins (`name==version`); returns pip-audit's JSON, or another text if it has failed."""


class Known(NamedTuple):
    """What a database knows.

    Args:
        advisories: A sentence for each package that has some, by its pin.
        unknown: Names of the packages that it does not know.
    """

    advisories: Mapping[str, str]
    unknown: tuple[str, ...]


def pins_of(locks: Iterable[Path]) -> dict[str, list[str]]:
    """The locks that have a pin, by the pin."""
    found: dict[str, list[str]] = {}
    for lock in locks:
        for pin in _PIN.findall(lock.read_text()):
            found.setdefault(pin, []).append(lock.name)
    return found


def without_repetition(pins: Iterable[str]) -> list[list[str]]:
    """The pins in as many lists as needed so that none has a package twice, which pip-audit refuses."""
    parts: list[dict[str, str]] = []
    for pin in pins:
        name = pin.partition("==")[0]
        part = next((one for one in parts if name not in one), None)
        if part is None:
            parts.append(part := {})
        part[name] = pin
    return [list(part.values()) for part in parts]


def joined(parts: Iterable[Known]) -> Known:
    """The parts as one."""
    advisories: dict[str, str] = {}
    unknown: list[str] = []
    for part in parts:
        advisories |= part.advisories
        unknown += part.unknown
    return Known(advisories, tuple(unknown))


def parse(printed: str) -> Known | None:
    """What pip-audit has printed; `None` if it has failed."""
    try:
        dependencies = json.loads(printed)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    advisories = {
        f"{one['name']}=={one['version']}": ", ".join(_shown(advisory) for advisory in one["vulns"])
        for one in dependencies
        if one.get("vulns")
    }
    return Known(advisories, tuple(one["name"] for one in dependencies if "skip_reason" in one))


def _shown(advisory: Mapping[str, list[str]]) -> str:
    fixed = advisory["fix_versions"]
    return f"{advisory['id']} ({f'fixed in {fixed[0]}' if fixed else 'not fixed'})"


def audit(pins: Mapping[str, list[str]], ask: Ask) -> tuple[str, bool]:
    """Look up all pins.

    Args:
        pins: The locks that have each pin.
        ask: Asks a database.

    Returns:
        A text for people, and whether a package has an advisory.
    """
    for service, name in SERVICES.items():
        known = parse(ask(service, [PROBE]))
        if known is None or not known.advisories:
            continue
        parts = [parse(ask(service, part)) for part in without_repetition(pins)]
        if None in parts:
            continue
        found = joined(part for part in parts if part is not None)
        lines = [f"{pin} in {', '.join(pins.get(pin, []))}: {text}" for pin, text in found.advisories.items()]
        if found.unknown:
            lines.append(f"Not audited, since {name} does not know them: {', '.join(found.unknown)}.")
        audited = len(pins) - len(found.unknown)
        lines.append(f"{audited} packages audited with {name}: {len(found.advisories) or 'none'} with advisories.")
        return "\n".join(lines), bool(found.advisories)
    return f"NOT AUDITED: no database of advisories can be reached from here ({', '.join(SERVICES.values())}).", False


def ask_pip_audit(service: str, pins: Iterable[str]) -> str:
    """Run pip-audit, which installs nothing."""
    with TemporaryDirectory(prefix="driftgauge-audit-") as folder:
        path = Path(folder) / "requirements.txt"
        path.write_text("\n".join(pins) + "\n")
        argv = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--requirement", str(path)]
        flags = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
        try:
            done = subprocess.run([*argv, *flags], capture_output=True, text=True, timeout=_ASK_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return ""
    return done.stdout


def main() -> int:
    """Audit the locks of the command line, and print the result."""
    if find_spec("pip_audit") is None:
        sys.stderr.write("pip-audit is not installed: `make audit` installs it.\n")
        return 2
    text, has_advisories = audit(pins_of(map(Path, sys.argv[1:])), ask_pip_audit)
    sys.stdout.write(f"{text}\n")
    return int(has_advisories)


if __name__ == "__main__":
    sys.exit(main())
