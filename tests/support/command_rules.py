"""What can be said of a command without running it: its files, targets, options and modules exist.

Each function takes the words of one program and returns the faults that it finds.
"""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support.helm import engine, render
from tests.support.markdown_blocks import ROOT, blocks

Words = Sequence[str]

_KUBECTL_VERBS = re.compile(
    "annotate|apply|cp|create|debug|delete|describe|edit|exec|get|kustomize|label|logs|patch|port-forward|rollout|run"
    "|scale|set|top|wait"
)
_KUBECTL_FLAGS = re.compile(
    "-[Acfiklnoptw]|-it|--(all-namespaces|container|dry-run|filename|follow|for|from-file|from-literal|image|kustomize"
    "|namespace|output|overwrite|patch|previous|restart|rm|selector|server-side|since|tail|timeout|type|watch)"
)
_HELM_FLAGS = re.compile(
    "-[fn]|--(all-namespaces|atomic|create-namespace|destination|filter|install|namespace|reset-then-reuse-values|reuse-values|set|set-file"
    "|set-json|set-string|timeout|values|version|wait)"
)
_HELM_RENDERS = {"install", "upgrade", "template"}
_HELM_OTHERS = {"history", "lint", "list", "package", "pull", "push", "registry", "rollback", "show", "test"}
_CHART = "charts/driftgauge"


def path_faults(paths: Sequence[str]) -> list[str]:
    """The paths that the project does not have."""
    return [f"{path} does not exist" for path in paths if not (ROOT / path).exists()]


def make_faults(words: Words) -> list[str]:
    """Targets that the Makefile does not have, and variables that it does not read."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = [word.partition("=")[0] for word in words[1:] if "=" in word]
    unknown = [word for word in words[1:] if "=" not in word and word not in targets]
    unread = [name for name in variables if f"$({name}" not in makefile]
    return [f"no target {name}" for name in unknown] + [f"the Makefile does not read {name}" for name in unread]


def kubectl_faults(words: Words, page: Path = ROOT / "README.md") -> list[str]:
    """Unknown verbs and flags, files that do not exist, and the faults of a command that runs in a container.

    Args:
        words: The words of the command.
        page: The page of the command. Files that `> FILE` of its blocks writes exist.
    """
    if words[1] in {"-n", "--namespace"}:  # which may also stand in front of the verb
        return kubectl_faults([words[0], *words[3:], *words[1:3]], page)
    if "--" in words:
        end = list(words).index("--")
        inside = words[end + 1 :]
        return kubectl_faults(words[:end], page) + (RULES[inside[0]](inside, ROOT) if inside[0] in RULES else [])
    faults = [] if _KUBECTL_VERBS.fullmatch(words[1]) else [f"unknown verb {words[1]}"]
    faults += _unknown_flags(words, _KUBECTL_FLAGS)
    pairs = list(pairwise(words))
    files = [value for flag, value in pairs if flag in {"-f", "-k", "--filename"} and words[1] == "apply"]
    files += [word.split("=", 2)[-1] for word in words if word.startswith("--from-file=")]
    files += [word for word in words[2:3] if words[1] == "kustomize"]
    written = {name for block in blocks(page) for name in re.findall(r" > (\S+)$", block.text, re.MULTILINE)}
    local = [file for file in files if not file.startswith(("https://", "-"))]
    return faults + path_faults([file for file in local if file not in written])


def _unknown_flags(words: Words, known: re.Pattern[str]) -> list[str]:
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    return [f"unknown flag {flag}" for flag in flags if not known.fullmatch(flag)]


def helm_faults(words: Words, page: Path) -> list[str]:
    """Unknown commands and flags; an installation is rendered with the values of the page and of the flags.

    Args:
        words: The words of the command.
        page: The page of the command. Its block `# values.yaml` is the file that `--values` names.
    """
    faults = _unknown_flags(words, _HELM_FLAGS)
    if words[1] not in _HELM_RENDERS:
        return faults + ([f"unknown command {words[1]}"] if words[1] not in _HELM_OTHERS else [])
    if _CHART not in words and not any(word.startswith("oci://") for word in words):
        return [*faults, f"not of {_CHART}"]
    options = dict(pairwise(words))
    release = render(values_of(words, page), words[2], options.get("--namespace", "default"))
    return faults + ([] if release.objects else ["nothing is installed"])


def values_of(words: Words, page: Path) -> dict[str, Any]:
    """The values of an installation: the file of the page, then each `--set`, as Helm's own parser reads it."""
    helm = engine()
    pairs = list(pairwise(words))
    files = [block.text for block in blocks(page) if block.text.startswith("# values.yaml\n")]
    found: dict[str, Any] = {}
    if any(flag in {"--values", "-f"} for flag in words) and files:
        found = helm.values_from_yaml(files[0])
    for expression in [value for flag, value in pairs if flag == "--set"]:
        found = _merged(found, helm.parse_set_string(expression))
    return found


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(below[key], above[key]) for key in below.keys() & above.keys() if isinstance(above[key], dict)}
    return below | above | both


def docker_faults(words: Words) -> list[str]:
    """Build arguments that the Dockerfile does not have, and a build context or compose file that does not exist."""
    known = set(re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    pairs = list(pairwise(words))
    given = [value.partition("=")[0] for flag, value in pairs if flag == "--build-arg"]
    faults = [f"the Dockerfile has no argument {name}" for name in given if name not in known]
    files = [words[-1]] if "build" in words[1:3] else []
    files += [value for flag, value in pairs if flag in {"-f", "--file"}]
    return faults + path_faults(files)


def python_faults(words: Words) -> list[str]:
    """A module that cannot be found."""
    return [] if importlib.util.find_spec(words[2]) else [f"no module {words[2]}"]


def driftgauge_faults(words: Words) -> list[str]:
    """Unknown commands, and flags that its help does not name."""
    if words[1].startswith("-") or words[1] == "COMMAND":
        return [f"unknown flag {word}" for word in words[1:] if word not in {"COMMAND", "--help", "--version"}]
    command = tuple(words[1:3] if words[1] in {"reference", "labels"} else words[1:2])
    usage = _help(command)
    flags = [word.partition("=")[0] for word in words[1:] if re.match(r"-{1,2}[a-z]", word)]
    return (
        [f"{' '.join(command)}: {usage}"]
        if "usage:" not in usage
        else [f"unknown flag {flag}" for flag in flags if not re.search(rf"(?<![\w-]){flag}(?![\w-])", usage)]
    )


@cache
def _help(command: tuple[str, ...]) -> str:
    argv = [sys.executable, "-m", "driftgauge", *command, "--help"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else "no such command"


RULES: dict[str, Callable[[Words, Path], list[str]]] = {
    "bash": lambda words, _: path_faults(words[1:2]),
    "docker": lambda words, _: docker_faults(words),
    "driftgauge": lambda words, _: driftgauge_faults(words),
    "helm": helm_faults,
    "kubectl": kubectl_faults,
    "make": lambda words, _: make_faults(words),
    "python": lambda words, _: python_faults(words),
}
"""Program -> its rule."""
