"""The command line: runs the command that was given, and prints errors as sentences."""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import cast

from driftgauge.cli.arguments import make_parser
from driftgauge.cli.completion import run_completion
from driftgauge.cli.health import find_faults
from driftgauge.cli.reference_commands import run_reference
from driftgauge.concurrency.allocator import limit_fragmentation
from driftgauge.config.documents import as_json_schema, as_markdown
from driftgauge.config.load import MODES, load, wanted_log_format
from driftgauge.config.options import LoggerConfig, ProxyConfig
from driftgauge.drift.statistics.correction import Correction
from driftgauge.errors import ConfigError


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name.

    Returns:
        Exit code: 0 success, 1 drift found, not healthy or no rows, 2 wrong arguments, options or data.
    """
    known, unknown = make_parser().parse_known_args(arguments)
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "check": _check,
        "options": _print_options,
        "healthcheck": _check_health,
        "reference": _run_reference,
        "labels": _post_labels,
        "compare": _compare,
        "export": _export,
        "doctor": _run_doctor,
        "completion": lambda known: run_completion(known.shell, sys.stdout),
    }
    try:
        if known.command in MODES:
            return _serve(known, tuple(unknown))
        known.parser.check_complete(unknown)
        return commands[known.command](known)
    except ConfigError as error:
        _print_errors(error.faults)
        return 2


def _serve(known: argparse.Namespace, unknown: tuple[str, ...]) -> int:
    import uvloop  # noqa: PLC0415 the other commands start faster without it

    from driftgauge.app.log_format import start_log  # noqa: PLC0415 as above
    from driftgauge.app.serve import run_logger, run_proxy  # noqa: PLC0415 as above

    limit_fragmentation()
    flags = {name: value for name, value in vars(known).items() if name in MODES[known.command].model_fields}
    try:
        config = load(known.command, flags, unknown, known.config)
    except ConfigError as error:
        if wanted_log_format(flags, known.config) != "json":
            raise
        start_log("info", "json")
        return _log_faults(error)
    start_log(config.log_level, config.log_format)
    # uvloop needs a sixth less CPU for a small request than the event loop of asyncio.
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if known.command == "proxy":
                runner.run(run_proxy(cast("ProxyConfig", config)))
            else:
                runner.run(run_logger(cast("LoggerConfig", config)))
    except ConfigError as error:
        if config.log_format == "text":
            raise
        return _log_faults(error)
    return 0


def _log_faults(error: ConfigError) -> int:
    """Log each fault, where all lines must be JSON; returns the exit code."""
    for fault in error.faults:
        logging.getLogger("driftgauge").log(logging.ERROR, fault)
    return 2


def _check(known: argparse.Namespace) -> int:
    from driftgauge.cli.check import LabelFile, run_check  # noqa: PLC0415 only this command needs it
    from driftgauge.cli.report_file import choose_format  # noqa: PLC0415
    from driftgauge.drift.rule import Rule  # noqa: PLC0415

    if not 0 < known.alpha < 1:
        raise ConfigError([f"alpha: must be between 0 and 1; it is {known.alpha!r}"])
    if known.min_rows < 1:
        raise ConfigError([f"min_rows: must be at least 1; it is {known.min_rows}"])
    if (known.labels is None) != (known.id is None):
        raise ConfigError(["labels: a file of labels and --id, the column that names the rows, belong together"])
    labels = None if known.labels is None else LabelFile(known.labels, known.id)
    output_format = choose_format(known.format, known.output, is_terminal=sys.stdout.isatty())
    rule = Rule(known.alpha, Correction(known.correction), known.min_rows)
    try:
        return run_check(
            known.reference,
            known.window,
            rule,
            output_format,
            sys.stdout,
            sys.stderr,
            missing_words=known.missing_words,
            output=known.output,
            quiet=known.quiet,
            labels=labels,
            time_column=known.time_column,
        )
    except OSError as error:
        _print_errors([f"check: cannot write the report: {error.strerror or error}"])
        return 2
    except Exception as error:  # noqa: BLE001 a traceback would exit with 1, which means drift
        _print_errors([f"check: cannot test {known.window} against {known.reference}: {type(error).__name__}: {error}"])
        return 2


def _print_options(known: argparse.Namespace) -> int:
    sys.stdout.write((as_markdown() if known.format == "markdown" else as_json_schema()) + "\n")
    return 0


def _run_reference(known: argparse.Namespace) -> int:
    return run_reference(known, sys.stdin, sys.stdout, sys.stderr)


def _post_labels(known: argparse.Namespace) -> int:
    from driftgauge.cli.label_commands import run_labels  # noqa: PLC0415 only this command needs it

    return run_labels(known, sys.stdout, sys.stderr)


def _compare(known: argparse.Namespace) -> int:
    from driftgauge.cli.compare_command import run_compare  # noqa: PLC0415 only this command needs it

    return run_compare(known, sys.stdout, sys.stderr)


def _export(known: argparse.Namespace) -> int:
    from driftgauge.cli.export.run_export import ExportRequest, run_export  # noqa: PLC0415 only this command needs it

    return run_export(ExportRequest.of(known, time.time()), sys.stdout, sys.stderr)


def _check_health(known: argparse.Namespace) -> int:
    flags = {} if known.admin_port is None else {"admin_port": known.admin_port}
    port = load("proxy", flags).admin_port
    faults = find_faults(port)
    if faults:
        _print_errors([f"nothing healthy on admin port {port} ({'; '.join(faults)})"])
    return 1 if faults else 0


def _run_doctor(known: argparse.Namespace) -> int:
    from driftgauge.cli.doctor.find_configuration import Sources  # noqa: PLC0415 only this command needs it
    from driftgauge.cli.doctor.run_doctor import run_doctor  # noqa: PLC0415 as above

    return run_doctor(Sources.of(known), known.format, sys.stdout)


def _print_errors(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        sys.stderr.write(f"driftgauge: {sentence}\n")
