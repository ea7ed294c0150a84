"""The mounted reference datasets: read, checked, sorted once per version, replaced while running."""

from sidecar.reference.kinds import as_kind
from sidecar.reference.load import Reference, load_reference, prepare, schema_hash
from sidecar.reference.packed import packed_window
from sidecar.reference.profiles import profiles_of
from sidecar.reference.table import Table, read_table
from sidecar.reference.watch import Fault, References

__all__ = [
    "Fault",
    "Reference",
    "References",
    "Table",
    "as_kind",
    "load_reference",
    "packed_window",
    "prepare",
    "profiles_of",
    "read_table",
    "schema_hash",
]
