"""The mounted reference datasets: read, checked, sorted once per version, replaced while running."""

from sidecar.reference.load import Reference, load_reference, schema_hash
from sidecar.reference.table import Table, read_table
from sidecar.reference.watch import Fault, References

__all__ = ["Fault", "Reference", "References", "Table", "load_reference", "read_table", "schema_hash"]
