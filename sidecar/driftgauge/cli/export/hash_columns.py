"""Replaces values of an export by their hashes: equal values stay equal, and no value can be read."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from hashlib import blake2b

import numpy as np

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code, text_of
from driftgauge.reference.column import ID_COLUMN, OWN_COLUMNS, shortened
from driftgauge.reference.exported_rows import ExportedRows

MAX_KEY_BYTES = 64
"""Longest key of BLAKE2b (RFC 7693, section 2.1)."""

_DIGEST_BYTES = 8


def hash_of(text: str, key: bytes) -> str:
    """The hash of a value: 16 hexadecimal digits.

    Args:
        text: The value as `hashed_text` writes it.
        key: At most 64 bytes; empty for none.

    Source:
        RFC 7693, "The BLAKE2 Cryptographic Hash and MAC", with a digest of 8 bytes.
    """
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES, key=key).hexdigest()


def hashed_text(value: float, kind: FeatureKind, texts: Mapping[float, str]) -> str:
    """The text of a value that is hashed: of a number the shortest decimal, without a point if it is whole.

    Args:
        value: A number, or the code of a category.
        kind: Which of both.
        texts: The texts of codes. The text of a category that no one knows is `#` and its code.
    """
    if kind is FeatureKind.CATEGORICAL:
        return texts.get(value, f"#{value:.0f}")
    return str(text_of(value))


def hash_columns(rows: ExportedRows, patterns: tuple[str, ...], key: bytes) -> tuple[ExportedRows, list[str]]:
    """Hash some columns, which become categories. A missing value stays missing.

    Args:
        rows: The rows.
        patterns: Of names of columns. That of the ids is `driftgauge:id`, whose digest is hashed once more.
        key: Of the hashes; empty for none.

    Returns:
        The rows, and the names of the columns that are hashed.

    Raises:
        ReferenceDataError: A pattern matches no column.
    """
    table = rows.table
    names = (*table.columns, *OWN_COLUMNS)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ReferenceDataError(f"hash: there is no column {shortened(pattern)}")
        if pattern in OWN_COLUMNS and pattern != ID_COLUMN:
            raise ReferenceDataError(f"hash: of driftgauge's own columns {ID_COLUMN} alone can be hashed")
    kinds, values, categories = list(table.kinds), table.values.copy(), dict(table.categories)
    hashed = [name for name in table.columns if any(fnmatchcase(name, one) for one in patterns)]
    for index, name in enumerate(table.columns):
        if name not in hashed or table.kinds[index] is FeatureKind.IGNORED:
            continue
        column = table.values[:, index]
        for value in np.unique(column[~np.isnan(column)]).tolist():
            text = hash_of(hashed_text(value, table.kinds[index], table.categories), key)
            values[column == value, index] = code(text)
            categories[code(text)] = text
        kinds[index] = FeatureKind.CATEGORICAL
    rows = replace(rows, table=replace(table, kinds=tuple(kinds), values=values, categories=categories))
    if any(fnmatchcase(ID_COLUMN, one) for one in patterns):
        digests = [int(hash_of(f"{one:016x}", key), 16) for one in rows.ids.tolist()]
        rows, hashed = replace(rows, ids=np.array(digests, dtype=np.uint64)), [*hashed, ID_COLUMN]
    return rows, hashed
