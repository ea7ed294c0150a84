"""The frame of every page: style, script, links, and a policy that lets the browser load nothing from elsewhere."""

import base64
import hashlib
from importlib import resources

from driftgauge import __version__
from driftgauge.page.markup import Markup, joined, tag

_STYLES = ("base.css", "boxes.css", "tables.css", "feature.css", "outcomes.css", "prose.css", "screens.css")


def _text(name: str) -> Markup:
    """A file of the package as it is."""
    return Markup(resources.files("driftgauge.page").joinpath(*name.split("/")).read_text("utf-8"))


_STYLE = joined(_text(f"style/{name}") for name in _STYLES)
_SCRIPT = _text("page.js")
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_HEAD = Markup(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
)


def document(title: str, *content: str, root: str | None = None, refresh_seconds: float | None = None) -> str:
    """The frame of every page.

    Args:
        title: The title of the browser's tab.
        content: The content of the page.
        root: The address of the admin port's first page, relative to this page, with a slash at the end if it is not
            empty; `None` for a page in a file, which links to no other.
        refresh_seconds: How often a reader may have the page load itself; `None` for one that does not change.
    """
    policy = _policy(live=refresh_seconds is not None)
    head = tag("head", _HEAD, policy, tag("title", f"{title} - driftgauge"), tag("style", _STYLE))
    bar = Markup() if root is None else _bar(root, refresh_seconds)
    body = tag("body", bar, tag("main", *content), tag("footer", f"driftgauge {__version__}"), tag("script", _SCRIPT))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _policy(*, live: bool) -> Markup:
    """The browser may run this script and no other, and connects at most to the port that the page is from."""
    connect = " connect-src 'self';" if live else ""
    policy = (
        f"default-src 'none';{connect} script-src 'sha256-{_SCRIPT_HASH}'; style-src 'unsafe-inline';"
        " base-uri 'none'; form-action 'none'"
    )
    return Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">')


def _bar(root: str, refresh_seconds: float | None) -> Markup:
    """The links to everything else that the admin port serves."""
    addresses = {"Metrics": "metrics", "JSON": "drift", "Runbooks": "runbooks/"}
    links = (tag("a", name, href=root + address) for name, address in addresses.items())
    refresh = Markup()
    if refresh_seconds is not None:
        reload = tag("a", "Refresh", href="")
        refresh = tag("span", reload, class_="refresh", data_seconds=f"{max(1.0, refresh_seconds):g}")
    return tag(
        "header", tag("a", "driftgauge", href=root or ".", class_="brand"), tag("nav", *links), refresh, class_="bar"
    )
