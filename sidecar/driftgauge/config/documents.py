"""The options as documents: a Markdown table for people, and a JSON Schema for editors and charts."""

import orjson
from pydantic.fields import FieldInfo

from driftgauge.config.environment import FALLBACKS
from driftgauge.config.load import MODES
from driftgauge.config.options import Config


def as_markdown() -> str:
    """All options as a Markdown table: name, modes, default, meaning."""
    lines = ["| option | mode | default | meaning |", "|---|---|---|---|"]
    for name, (field, modes) in _options().items():
        mode = "both" if len(modes) == len(MODES) else modes[0]
        lines.append(f"| `{name}` | {mode} | {_default(name, field)} | {field.description} |")
    return "\n".join(lines)


def as_json_schema() -> str:
    """All options of the YAML file as one closed JSON Schema (draft 2020-12)."""
    properties: dict[str, object] = {}
    definitions: dict[str, object] = {}
    for model in MODES.values():
        schema = model.model_json_schema()
        properties.update(schema["properties"])
        definitions.update(schema.get("$defs", {}))
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "driftgauge",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _options() -> dict[str, tuple[FieldInfo, list[str]]]:
    """The field of each option, and the modes that have it."""
    options: dict[str, tuple[FieldInfo, list[str]]] = {}
    models: tuple[type[Config], ...] = (Config, *MODES.values())
    for model in models:
        for name, field in model.model_fields.items():
            modes = [mode for mode, other in MODES.items() if name in other.model_fields]
            options[name] = (field, modes)
    return options


def _default(name: str, field: FieldInfo) -> str:
    shown = "none" if field.default is None else f"`{field.default}`" if field.default != "" else "empty"
    return f"`{FALLBACKS[name]}`, else {shown}" if name in FALLBACKS else shown
