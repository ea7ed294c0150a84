"""Every command of the documents: what can be said of it without running it is right.

Those that can run here are run in test_runs.py. The others are of a kind in `ELSEWHERE`, with the reason; a command of
no kind fails.
"""

import re
from pathlib import Path

import pytest

from tests.support.command_rules import RULES, driftgauge_faults, helm_faults, kubectl_faults, make_faults
from tests.support.markdown_blocks import ROOT
from tests.support.shell_commands import Command, all_commands

FILTERS = {"grep", "head", "jq", "less", "sort", "source", "tail", "wc", "xargs"}
"""Programs that may stand behind a pipe."""

RUNS = re.compile(r"driftgauge (check|doctor|export|healthcheck|logger|options|proxy|reference)\b|curl |sed |tail ")
"""Commands that test_runs.py runs."""

ELSEWHERE = {
    r"make ": "the targets are what CI runs, and take minutes",
    r"(kubectl|helm) ": "needs a cluster; this folder, tests/manifests and tests/chart check files and objects",
    r"docker (build|push|pull|run|buildx|compose)\b": "needs Docker and a registry; `.ci/image` builds with buildah",
    r"(python3 -m venv|jupyter) ": "creates an environment; tests/unit/examples runs the notebook without Jupyter",
    r"source \.venv/bin/activate$": "`make demo` creates the environment",
    r"bash \.ci/": "installs packages as root, or is a step of a release; CI runs it",
    r"git (clone|push|tag) ": "needs a repository with a remote, or changes one",
    r"cosign ": "needs a published release",
    r"python -m (charts|tests|benchmarks|examples)\b": "changes files of the project, or measures for minutes",
    r"pip (install|download) ": "needs a package index; tests/real/test_wheel.py installs the wheel",
    r"(source <\(|eval |driftgauge completion)": "changes the shell of a person; tests/e2e runs the scripts in shells",
    r"driftgauge (COMMAND|--)": "stands for any command",
    r"driftgauge labels post\b": "needs a labels port; tests/e2e/test_cli_document.py runs it beside a process",
    r"driftgauge compare\b": "needs two revisions; tests/e2e/test_compare.py runs it beside two proxies",
    r"python -m (driftgauge|sidecar)$": "the names of the command in sentences",
}
"""Commands that are not run -> why not."""

SENTENCES = {"driftgauge cannot start a process"}
"""Texts in backticks that start like a command."""

COMMANDS = [
    command
    for command in all_commands()
    if command.page.name != "CHANGELOG.md" and command.text not in SENTENCES  # which has older commands
]
every_command = pytest.mark.parametrize("command", COMMANDS, ids=map(str, COMMANDS))


@every_command
def test_it_runs_or_there_is_a_reason(command: Command) -> None:
    """The command is run by a test, or is of a kind that cannot run here."""
    kinds = [pattern for pattern in ELSEWHERE if re.match(pattern, command.bare)]

    assert RUNS.match(command.bare) or kinds, f"{command}: run it in test_runs.py, or say in ELSEWHERE why not"


@every_command
def test_what_it_names_exists(command: Command) -> None:
    """Files, targets, options, modules and values exist; programs behind a pipe are filters."""
    first, *behind = command.programs
    faults = RULES[first[0]](first, command.page) if first[0] in RULES else []

    assert [] == faults
    assert {words[0] for words in behind if words[0] not in RULES} <= FILTERS


def test_pages_with_commands_are_found() -> None:
    """The search finds commands in README, guides, runbooks and the folders of examples."""
    pages = {str(command.page.relative_to(ROOT)) for command in COMMANDS if not command.inline}

    assert {"README.md", "CONTRIBUTING.md", "docs/install.md", "examples/wine/README.md"} <= pages


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        (make_faults(["make", "demos"]), "no target demos"),
        (make_faults(["make", "demo", "KEPT=1"]), "the Makefile does not read KEPT"),
        (kubectl_faults(["kubectl", "apply", "-f", "examples/none.yaml"]), "examples/none.yaml does not exist"),
        (kubectl_faults(["kubectl", "create", "cm", "--from-file=a=b.csv"]), "b.csv does not exist"),
        (kubectl_faults(["kubectl", "exec", "pod/a", "--", "driftgauge", "doctors"]), "doctors: no such command"),
        (kubectl_faults(["kubectl", "applies"]), "unknown verb applies"),
        (helm_faults(["helm", "installs", "driftgauge"], Path("README.md")), "unknown command installs"),
        (driftgauge_faults(["driftgauge", "check", "--formats"]), "unknown flag --formats"),
        (driftgauge_faults(["driftgauge", "checks"]), "checks: no such command"),
    ],
)
def test_a_fault_is_found(faults: list[str], sentence: str) -> None:
    """A misspelled target, variable, file, verb, command or flag."""
    assert [sentence] == faults
