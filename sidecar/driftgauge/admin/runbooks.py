"""The runbooks of the package, which the admin port serves."""

from functools import cache
from importlib import resources

from driftgauge.page.runbook import INDEX, render_runbook

_SUFFIX = ".md"


@cache
def runbook_names() -> frozenset[str]:
    """The names of all runbooks; the one that links to the others has the empty name."""
    files = (file.name for file in resources.files("driftgauge.page").joinpath("runbooks").iterdir())
    names = (name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX))
    return frozenset("" if name == INDEX else name for name in names)


@cache
def runbook_page(name: str) -> str:
    """The page of a runbook as HTML.

    Args:
        name: One of `runbook_names`.
    """
    file = name or INDEX
    text = resources.files("driftgauge.page").joinpath("runbooks", file + _SUFFIX).read_text("utf-8")
    return render_runbook(file, text)
