"""The schema of the chart's values, with their defaults, as Markdown."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

HEAD = """# Values of the chart

Generated from the chart's `values.schema.json` and `values.yaml` by `python -m charts.values`; a test keeps it current.
A key that is not in this table is refused at install, with its path. The keys of `config` are options of driftgauge;
an option that is left out has the default shown here.

| key | default | meaning |
|---|---|---|
"""


def as_markdown(schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        schema: `values.schema.json`.
        defaults: `values.yaml`.
    """
    rows = _rows("", schema, defaults)
    return HEAD + "".join(f"| `{key}` | {default} | {_cell(text)} |\n" for key, default, text in rows)


def _rows(prefix: str, schema: Mapping[str, Any], defaults: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 YAML
    for name, one in schema["properties"].items():
        key = f"{prefix}{name}"
        here = defaults.get(name) if isinstance(defaults, Mapping) else None
        if "properties" in one:
            yield from _rows(f"{key}.", one, here)
        else:
            yield key, _shown(one.get("default") if here is None else here), one.get("description", "")


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return "empty" if value == "" else f"`{json.dumps(value)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
