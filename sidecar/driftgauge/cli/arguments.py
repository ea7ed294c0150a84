"""The commands of the command line and their flags."""

import argparse
from pathlib import Path

from driftgauge import __version__
from driftgauge.cli.command_parser import CommandParser
from driftgauge.cli.compare_arguments import add_compare
from driftgauge.cli.completion import SHELLS
from driftgauge.cli.export.export_arguments import add_export
from driftgauge.cli.label_arguments import add_labels
from driftgauge.cli.reference_commands import add_missing_words, add_quiet, add_reference
from driftgauge.config.load import MODES, SECRETS, flag_of
from driftgauge.config.options import Config
from driftgauge.drift.statistics.correction import Correction

_MODE_HELP = {
    "proxy": "monitor one model as a proxy in the predictor pod, in front of the model server",
    "logger": "monitor many models as the target of logger.url, which receives CloudEvents",
}


def make_parser() -> CommandParser:
    """Make the parser of the whole command line."""
    parser = CommandParser(prog="driftgauge", description="Monitors models served by KServe.")
    parser.add_argument("--version", action="version", version=f"driftgauge {__version__}")
    command = parser.add_commands("command", "COMMAND")
    for mode, model in MODES.items():
        _add_options(command(mode, _MODE_HELP[mode]), model)
    _add_check(command("check", "test one file against another: exit 0 no drift, 1 drift, 2 cannot tell"))
    _add_format(command("options", "print all options with their defaults"), "markdown", "json-schema")
    add_reference(command("reference", "build, show or capture a reference: exit 0 success, 2 error"))
    add_labels(command("labels", "post labels of predictions: exit 0 all accepted, 1 some malformed, 2 not posted"))
    add_compare(command("compare", "compare a canary with the stable revision: exit 0 passes, 1 fails, 2 cannot tell"))
    add_export(command("export", "write the newest rows with predictions and labels: exit 0 written, 1 no rows, 2 not"))
    health = command("healthcheck", "check on the admin port that the process is alive: exit 0 yes, 1 no")
    health.add_argument("--admin-port", metavar="PORT", help="default: the option admin_port")
    doctor = command("doctor", "check what a process needs, and a running one: exit 0 no failure, 1 a failure")
    doctor.add_argument("--mode", choices=tuple(MODES), help="default: that of the running process, or of the options")
    _add_format(doctor, "text", "json")
    _add_options(doctor, *MODES.values())
    doctor.usage = f"{doctor.usage} [--mode MODE] [--format FORMAT]"
    completion = command("completion", "print the script that completes commands and flags in a shell")
    text = 'bash: source <(...), zsh: eval "$(...)", fish: ... | source'
    completion.add_argument("shell", choices=SHELLS, help=text)
    return parser


def _add_options(parser: CommandParser, *models: type[Config]) -> None:
    """Add a flag for every option. It has no type, since the declaration of the option validates the text."""
    parser.usage = f"{parser.prog} [--help] [--config FILE] [--OPTION VALUE ...]"
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML file of options")
    fields = {name: field for model in models for name, field in model.model_fields.items()}
    for name, field in fields.items():
        if name not in SECRETS:
            default = {None: "none", "": "empty"}.get(field.default, field.default)
            text = f"{field.description} (default: {default})".replace("%", "%%")
            parser.add_argument(flag_of(name), dest=name, metavar="VALUE", default=argparse.SUPPRESS, help=text)


def _add_check(parser: CommandParser) -> None:
    parser.add_argument("reference", type=Path, metavar="REFERENCE", help="CSV, Parquet or NPZ file")
    parser.add_argument("window", type=Path, metavar="WINDOW", help="file with the same columns")
    parser.add_argument("--alpha", type=float, default=0.05, help="significance level (default: %(default)s)")
    corrections = [correction.value for correction in Correction]
    text = "over the features; none tests each at alpha (default: %(default)s)"
    parser.add_argument("--correction", choices=corrections, default="holm", help=text)
    text = "fewest values of a feature that are tested (default: %(default)s)"
    parser.add_argument("--min-rows", type=int, default=1, metavar="ROWS", help=text)
    text = "file with the labels of WINDOW's rows, in columns label:<output>, or label if there is one output"
    parser.add_argument("--labels", type=Path, metavar="FILE", help=text)
    text = "column of WINDOW and of the labels that names the rows, such as order_id"
    parser.add_argument("--id", metavar="COLUMN", help=text)
    text = "column of WINDOW that has the time of each row: the report says of which time the labelled rows are"
    parser.add_argument("--time-column", metavar="NAME", default="", help=text)
    add_missing_words(parser)
    text = "write the report to a file, as a page (.html), as JSON (.json) or as a table (.txt)"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=text)
    text = "of the report (default: that of the file of -o, else table)"
    parser.add_argument("--format", choices=("table", "json", "html"), help=text)
    add_quiet(parser)


def _add_format(parser: CommandParser, *formats: str) -> None:
    parser.add_argument("--format", choices=formats, default=formats[0], help="default: %(default)s")
