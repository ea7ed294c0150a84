"""The documents name the packages and layers that the code has."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.markdown_blocks import blocks

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sidecar" / "driftgauge"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS: list[str] = CONTRACTS[0]["layers"]


def test_architecture_describes_every_package_in_its_layer() -> None:
    """The table has one line for each package of each layer, from top to bottom."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    described = [(int(number), name) for number, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)]

    expected = [(number, name) for number, layer in enumerate(LAYERS, 1) for name in layer.split(" | ")]
    assert expected == described


def test_every_package_has_a_layer() -> None:
    """The layers name every package and every module at the top."""
    names = {path.stem for path in PACKAGE.iterdir() if (path / "__init__.py").exists() or path.suffix == ".py"}

    assert names - {"__init__"} == {name for layer in LAYERS for name in layer.split(" | ")}


def test_contributing_lists_the_layers() -> None:
    """CONTRIBUTING has the lines of pyproject.toml, in a block of their own."""
    written = [block.text for block in blocks(ROOT / "CONTRIBUTING.md")]

    assert "\n".join(LAYERS) + "\n" in written


def test_the_packages_without_io_are_those_of_the_contract() -> None:
    """The page names the packages that may not import I/O."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    sentence = next(line for line in page.split("\n\n") if "do no I/O" in line)

    named = set(re.findall(r"`(\w+)`", sentence.split("do no I/O")[0]))
    assert {name.removeprefix("driftgauge.") for name in CONTRACTS[1]["source_modules"]} == named


def test_the_walks_name_files_and_functions_that_exist() -> None:
    """Each name in backticks is a file of the package, or a function, class or method in one of its files."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    walks = page.partition("<!-- walks -->")[2].partition("`python -m")[0]
    files = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}
    definitions = {name for tree in files.values() for name in _qualified_names(tree)}

    assert [] == sorted(set(re.findall(r"`([^`]+)`", walks)) - definitions - set(files))


def test_no_two_packages_share_the_name_of_a_file_or_a_class() -> None:
    """A reader who meets a name knows which one is meant."""
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    classes = [
        node.name for path in modules for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)
    ]

    assert [] == [name for name, count in Counter(path.name for path in modules).items() if count > 1]
    assert [] == [name for name, count in Counter(classes).items() if count > 1]


def _qualified_names(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _qualified_names(node, f"{node.name}.")


def test_no_private_module_of_redis_py_is_imported() -> None:
    """They may change with any release."""
    sources = [path for folder in (PACKAGE, ROOT / "tests", ROOT / "benchmarks") for path in folder.rglob("*.py")]
    private = re.compile(r"^\s*(?:from|import) redis(?:\.\w+)*(?:\._| import _)", re.MULTILINE)

    assert [] == [path.name for path in sources if private.search(path.read_text())]
