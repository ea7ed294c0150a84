"""The command `labels post`: posts the labels of a file."""

import argparse
import asyncio
from collections.abc import Iterator
from typing import Final, TextIO

from driftgauge.cli.label_arguments import LABEL_COLUMNS, TOKEN_VARIABLE
from driftgauge.cli.label_file import FileColumns, LabelsBody, read_bodies
from driftgauge.cli.label_sender import LabelSender, SendError
from driftgauge.cli.other_process import model_address, read_token, trusting
from driftgauge.errors import ConfigError, ReferenceDataError

POSTED, MALFORMED, FAILED = 0, 1, 2
"""Exit codes."""

_LATER: Final = (
    "which of them match, are duplicates or have an id that is unknown is counted in driftgauge_labels_total later\n"
)

_SHOWN_SENTENCES: Final = 10
"""Malformed labels of a file that get a line each."""


def run_labels(known: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Post the labels of a file.

    Args:
        known: The parsed command line.
        out: Receives two lines that sum up.
        err: Receives faults, and what is wrong with malformed labels.

    Returns:
        Exit code: 0 all labels were accepted, 1 some are malformed, 2 they were not posted, or not all of them.

    Raises:
        ConfigError: A flag, or a file that it names, cannot be used.
    """
    columns = FileColumns({part: getattr(known, f"{part}_column") for part in LABEL_COLUMNS}, known.output)
    if known.output and known.output_column:
        raise ConfigError(["labels post: give --output or --output-column, not both"])
    sender = LabelSender(
        model_address(known, "url", lambda path: path or "/labels"),
        read_token(known.token_file, TOKEN_VARIABLE),
        trusting(known.ca_file),
        known.retry_seconds,
    )
    return asyncio.run(post_bodies(read_bodies(known.file, columns), sender, out, err))


async def post_bodies(bodies: Iterator[LabelsBody], sender: LabelSender, out: TextIO, err: TextIO) -> int:
    """Post bodies one after the other; returns the exit code, as `run_labels`."""
    accepted = malformed = left_out = shown = 0
    fault = ""
    async with sender:
        try:
            for body in bodies:
                left_out += body.left_out
                if not body.rows:
                    continue
                reply = await sender.post(body.content, len(body.rows))
                accepted += reply.accepted
                malformed += reply.malformed
                for sentence in reply.sentences[: _SHOWN_SENTENCES - shown]:
                    err.write(f"driftgauge: {body.in_file(sentence)}\n")
                    shown += 1
        except (SendError, ReferenceDataError) as error:
            fault = str(error)
            err.write(f"driftgauge: labels post: {fault}\n")
    if accepted or malformed or not fault:
        rest = "; the rest was not posted" if fault else ""
        without = f", {left_out} rows without a label were left out"
        out.write(f"{accepted} labels were accepted, {malformed} are malformed{without}{rest}\n")
        if accepted:
            out.write(_LATER)
    if fault:
        return FAILED
    return MALFORMED if malformed else POSTED
