"""The schemas of the package, which the admin port serves."""

from functools import cache
from importlib import resources


@cache
def schema_files() -> dict[str, bytes]:
    """The JSON Schemas by the names of their files."""
    files = resources.files("driftgauge.page").joinpath("schemas").iterdir()
    return {file.name: file.read_bytes() for file in files if file.name.endswith(".json")}
