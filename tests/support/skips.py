"""What happens to skipped tests: each names a command that would run it, and the end counts them by reason.

With `NO_SKIP=1` a skipped test fails.
"""

import os
import re
from collections import Counter
from collections.abc import Generator, Iterable
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

_COMMAND = re.compile(r"`[^`]+`")
"""A command in backticks."""


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why the test, or the module, was skipped."""
    reason = report.longrepr[2] if isinstance(report.longrepr, (tuple, list)) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


def counted(reports: Iterable[pytest.TestReport | pytest.CollectReport]) -> list[str]:
    """One line for each reason, the most frequent first: the number of tests and the reason.

    With more processes than one each of them reports a module that is skipped as a whole: it counts once.
    """
    reasons = {report.nodeid: reason_of(report) for report in reports}
    return [f"{number:5} {reason}" for reason, number in Counter(reasons.values()).most_common()]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure if it names no command, or if `NO_SKIP=1` is set."""
    report = yield
    return _checked(report, item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that is skipped as a whole."""
    report = yield
    return _checked(report, collector.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests were skipped for which reason."""
    lines = counted(terminalreporter.stats.get("skipped", []))
    if lines:
        terminalreporter.section("skipped tests, and the commands that would run them")
        for line in lines:
            terminalreporter.write_line(line)


def _checked(report: Report, name: str) -> Report:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = reason_of(report)
        if os.environ.get("NO_SKIP") == "1":
            report.outcome = "failed"
            report.longrepr = f"{name} may not skip on this machine, but did: {reason}"
        elif not _COMMAND.search(reason):
            report.outcome = "failed"
            report.longrepr = f"{name} skips without a command in backticks that would run it: {reason}"
    return report
