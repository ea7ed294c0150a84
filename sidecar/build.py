"""The command `reference build`: a reference drawn from training data of any size."""

from pathlib import Path
from typing import TextIO

from sidecar.errors import ReferenceDataError
from sidecar.reference.load import prepare
from sidecar.reference.packed import packed
from sidecar.reference.sample import Draw, draw_sample
from sidecar.reference.table import parse_table
from sidecar.reference.writing import check_output, write_whole
from sidecar.show import print_reference


def run_build(training: Path, output: Path, draw: Draw, out: TextIO, err: TextIO) -> int:
    """Draw a reference and write it.

    Args:
        training: A CSV or Parquet file of any size.
        output: The reference, `.npz`; what was there before is replaced.
        draw: How many rows, which seed, which columns are predictions.
        out: Takes what the reference holds.
        err: Takes faults.

    Returns:
        Exit code: 0, or 2 if the training data cannot serve or the reference cannot be written.
    """
    try:
        check_output(output)
        content = packed(draw_sample(training, draw))
        reference = prepare(parse_table(output, content), 0.0)
        write_whole(output, content)
    except ReferenceDataError as error:
        err.write(f"{error}\n")
        return 2
    print_reference(reference, out)
    return 0
