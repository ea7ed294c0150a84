"""The audit of lock files says what was found, what is unknown, and where nothing could be audited."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.style.lock_audit import PROBE, Ask, audit, parse, pins_of, without_repetition

ADVISORY = {"id": "PYSEC-2019-132", "fix_versions": ["1.24.2"], "aliases": [], "description": ""}


def database(
    services: Iterable[str] = ("pypi",), bad: Iterable[str] = (PROBE,), unknown: Iterable[str] = ()
) -> tuple[Ask, list[tuple[str, list[str]]]]:
    """A database of advisories as pip-audit reports it, and what it was asked."""
    asked: list[tuple[str, list[str]]] = []

    def ask(service: str, pins: Iterable[str]) -> str:
        given = list(pins)
        asked.append((service, given))
        if service not in services:
            return "Traceback (most recent call last):"
        found = []
        for pin in given:
            name, _, version = pin.partition("==")
            known = {"name": name, "version": version, "vulns": [ADVISORY] if pin in bad else []}
            found.append({"name": name, "skip_reason": "not found"} if name in unknown else known)
        return json.dumps({"dependencies": found, "fixes": []})

    return ask, asked


def test_pins_are_read_from_locks(tmp_path: Path) -> None:
    """Markers and hashes are left out; a pin of two locks is one pin with both names."""
    one, two = tmp_path / "one.lock", tmp_path / "two.lock"
    one.write_text("# a comment\nnumpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n")
    two.write_text("numpy==2.4.6 \\\n    --hash=sha256:00\ngrafana-foundation-sdk==1769699379!11.6.0 \\\n")

    found = pins_of([one, two])

    assert found == {
        "numpy==2.4.6": ["one.lock", "two.lock"],
        "grafana-foundation-sdk==1769699379!11.6.0": ["two.lock"],
    }


def test_no_advisories() -> None:
    """The number of packages and the database are named, and the exit code is that of success."""
    ask, _ = database()

    assert audit({"a==1": ["x.lock"]}, ask) == ("1 packages audited with PyPI's JSON API: none with advisories.", False)


def test_an_advisory_fails_the_audit() -> None:
    """The package, its locks, the advisory and the version that fixes it are named."""
    ask, _ = database(bad=(PROBE, "a==1"))

    text, has_advisories = audit({"a==1": ["x.lock", "y.lock"], "b==2": ["y.lock"]}, ask)

    assert has_advisories
    assert text.splitlines() == [
        "a==1 in x.lock, y.lock: PYSEC-2019-132 (fixed in 1.24.2)",
        "2 packages audited with PyPI's JSON API: 1 with advisories.",
    ]


def test_the_second_database_is_asked_where_the_first_has_no_advisories() -> None:
    """A mirror that serves packages without advisories is not taken for a clean bill."""
    first, _ = database(services=("pypi",), bad=())
    second, asked = database(services=("osv",))

    text, has_advisories = audit({"a==1": []}, lambda name, pins: (first if name == "pypi" else second)(name, pins))

    assert (text, has_advisories) == ("1 packages audited with OSV: none with advisories.", False)
    assert asked == [("osv", [PROBE]), ("osv", ["a==1"])]


@pytest.mark.parametrize("services", [(), ("pypi", "osv")])
def test_without_a_database_it_says_so(services: tuple[str, ...]) -> None:
    """Neither a failure nor a package that the database does not know ends the audit with an error."""
    ask, asked = database(services=services, unknown=("urllib3",))

    text, has_advisories = audit({"a==1": []}, ask)

    assert text == "NOT AUDITED: no database of advisories can be reached from here (PyPI's JSON API, OSV)."
    assert not has_advisories
    assert [pins for _, pins in asked] == [[PROBE], [PROBE]]


def test_unknown_packages_are_named() -> None:
    """A package that the database does not know is not counted as audited."""
    ask, _ = database(unknown=("a",))

    assert audit({"a==1": [], "b==2": []}, ask)[0].splitlines() == [
        "Not audited, since PyPI's JSON API does not know them: a.",
        "1 packages audited with PyPI's JSON API: none with advisories.",
    ]


def test_two_versions_of_a_package_are_asked_for_separately() -> None:
    """pip-audit refuses a list with a package twice, and locks have one version for each version of Python."""
    pins = ["numpy==2.4.6", "numpy==2.5.5", "yarl==1.25.1"]

    assert without_repetition(pins) == [["numpy==2.4.6", "yarl==1.25.1"], ["numpy==2.5.5"]]


@pytest.mark.parametrize("printed", ["", "Traceback", "[]", "{}"])
def test_what_is_not_a_report_is_a_failure(printed: str) -> None:
    """pip-audit prints no JSON when it fails."""
    assert parse(printed) is None
