"""The options as documents."""

import json

from driftgauge.config.documents import as_json_schema, as_markdown
from driftgauge.config.load import MODES


def test_the_table_has_a_line_for_every_option() -> None:
    """Every option is documented."""
    names = {name for model in MODES.values() for name in model.model_fields}

    assert names == {line.split("`")[1] for line in as_markdown().splitlines()[2:]}


def test_the_schema_is_closed_and_knows_every_option() -> None:
    """An editor that uses the schema finds a mistyped option."""
    schema = json.loads(as_json_schema())

    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {name for model in MODES.values() for name in model.model_fields}


def test_the_schema_contains_all_that_it_refers_to() -> None:
    """A dangling reference makes a validator stop."""
    schema = json.loads(as_json_schema())
    wanted = {line.split('"')[3] for line in as_json_schema().splitlines() if '"$ref"' in line}

    assert wanted == {f"#/$defs/{name}" for name in schema["$defs"]}
