"""Reports as pages for people: one self-contained HTML document, no script and no network.

This room is pure: reports and rows in, text out.
"""

from sidecar.page.document import render
from sidecar.page.index import Entry, render_index
from sidecar.page.model import Facts, Page, Part, part_of

__all__ = ["Entry", "Facts", "Page", "Part", "part_of", "render", "render_index"]
