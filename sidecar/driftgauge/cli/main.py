"""The command line: its commands and flags, their error messages, and exit codes."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import cast
from urllib.error import URLError
from urllib.request import urlopen

from driftgauge import __version__
from driftgauge.cli.reference_commands import add_missing_words, add_reference, run_reference
from driftgauge.config.documents import as_json_schema, as_markdown
from driftgauge.config.load import MODES, SECRETS, load
from driftgauge.config.options import Config, LoggerConfig, ProxyConfig
from driftgauge.drift.statistics.correction import Correction
from driftgauge.errors import ConfigError

_MODE_HELP = {
    "proxy": "monitor one model as a proxy in the predictor pod, in front of the model server",
    "logger": "monitor many models as the target of logger.url, which receives CloudEvents",
}


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name.

    Returns:
        Exit code: 0 success, 1 drift found or not healthy, 2 wrong arguments, options or data.
    """
    parser = _parser()
    known, unknown = parser.parse_known_args(arguments)
    try:
        if known.command in MODES:
            return _serve(known, tuple(unknown))
        if unknown:
            parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        commands = {
            "check": _check,
            "options": _print_options,
            "healthcheck": _check_health,
            "reference": _run_reference,
        }
        return commands[known.command](known)
    except ConfigError as error:
        _print_errors(error.faults)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("driftgauge", description="Monitors models served by KServe.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"driftgauge {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, allow_abbrev=False)

    for mode, model in MODES.items():
        _add_options(command(mode, _MODE_HELP[mode]), model)
    _add_check(command("check", "test one file against another: exit 0 no drift, 1 drift, 2 cannot tell"))
    _add_format(command("options", "print all options with their defaults"), "markdown", "json-schema")
    add_reference(command("reference", "build, show or capture a reference: exit 0 success, 2 error"))
    health = command("healthcheck", "check on the admin port that the process is alive: exit 0 yes, 1 no")
    health.add_argument("--admin-port", metavar="PORT", help="default: the option admin_port")
    return parser


def _add_options(parser: argparse.ArgumentParser, model: type[Config]) -> None:
    """Add a flag for every option. It has no type, since the declaration of the option validates the text."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML file of options")
    for name, field in model.model_fields.items():
        if name not in SECRETS:
            default = {None: "none", "": "empty"}.get(field.default, field.default)
            text = f"{field.description} (default: {default})".replace("%", "%%")
            flag = "--" + name.replace("_", "-")
            parser.add_argument(flag, dest=name, metavar="VALUE", default=argparse.SUPPRESS, help=text)


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", type=Path, metavar="REFERENCE", help="CSV, Parquet or NPZ file")
    parser.add_argument("window", type=Path, metavar="WINDOW", help="file with the same columns")
    parser.add_argument("--alpha", type=float, default=0.05, help="significance level (default: %(default)s)")
    corrections = [correction.value for correction in Correction]
    text = "over the features; none tests each at alpha (default: %(default)s)"
    parser.add_argument("--correction", choices=corrections, default="holm", help=text)
    add_missing_words(parser)
    _add_format(parser, "table", "json", "html")


def _add_format(parser: argparse.ArgumentParser, *formats: str) -> None:
    parser.add_argument("--format", choices=formats, default=formats[0], help="default: %(default)s")


def _serve(known: argparse.Namespace, unknown: tuple[str, ...]) -> int:
    import uvloop  # noqa: PLC0415 the other commands start faster without it

    from driftgauge.app.log_format import LogFormatter  # noqa: PLC0415 as above
    from driftgauge.app.serve import run_logger, run_proxy  # noqa: PLC0415 as above

    flags = {name: value for name, value in vars(known).items() if name not in {"command", "config"}}
    config = load(known.command, flags, unknown, known.config)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter())
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler])
    # uvloop needs a sixth less CPU for a small request than the event loop of asyncio.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if known.command == "proxy":
            runner.run(run_proxy(cast("ProxyConfig", config)))
        else:
            runner.run(run_logger(cast("LoggerConfig", config)))
    return 0


def _check(known: argparse.Namespace) -> int:
    from driftgauge.cli.check import run_check  # noqa: PLC0415 only this command needs it
    from driftgauge.drift.rule import Rule  # noqa: PLC0415

    if not 0 < known.alpha < 1:
        raise ConfigError([f"alpha: must be between 0 and 1; it is {known.alpha!r}"])
    rule = Rule(known.alpha, Correction(known.correction), min_rows=1)
    try:
        words = known.missing_words
        return run_check(known.reference, known.window, rule, known.format, sys.stdout, sys.stderr, missing_words=words)
    except Exception as error:  # noqa: BLE001 a traceback would exit with 1, which means drift
        _print_errors([f"check: cannot test {known.window} against {known.reference}: {type(error).__name__}: {error}"])
        return 2


def _print_options(known: argparse.Namespace) -> int:
    sys.stdout.write((as_markdown() if known.format == "markdown" else as_json_schema()) + "\n")
    return 0


def _run_reference(known: argparse.Namespace) -> int:
    return run_reference(known, sys.stdin, sys.stdout, sys.stderr)


def _check_health(known: argparse.Namespace) -> int:
    flags = {} if known.admin_port is None else {"admin_port": known.admin_port}
    port = load("proxy", flags).admin_port
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=3) as response:
            return 0 if response.status == HTTPStatus.OK else 1
    except (URLError, OSError) as error:
        _print_errors([f"nothing healthy on admin port {port} ({error})"])
        return 1


def _print_errors(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        sys.stderr.write(f"driftgauge: {sentence}\n")
