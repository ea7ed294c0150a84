"""The flags of `driftgauge compare`."""

from pathlib import Path
from typing import Final

from driftgauge.cli.command_parser import CommandParser
from driftgauge.config.environment import PREFIX
from driftgauge.inference.payload import COMPONENTS

ADMIN_TOKEN: Final = f"{PREFIX}ADMIN_TOKEN"
"""The variable that has the bearer token of the admin port."""

CRITERIA: Final = ("drift", "errors", "latency", "accuracy")
"""Choices of `--fail-on`."""


def add_compare(parser: CommandParser) -> None:
    """Add the flags to the parser of the command."""
    parser.add_argument("--inference-service", metavar="NAME", required=True, help="whose revisions they are")
    parser.add_argument("--namespace", metavar="NAME", default="", help="its namespace (default: any)")
    parser.add_argument("--component", choices=COMPONENTS, default=COMPONENTS[0], help="default: %(default)s")
    parser.add_argument("--model", metavar="NAME", default="", help="name of the model (default: the only one)")
    text = "the canary, as in the label `revision` of its metrics"
    parser.add_argument("--revision", metavar="NAME", required=True, help=text)
    parser.add_argument("--against", metavar="NAME", default="stable", help="the other one (default: %(default)s)")
    text = f"criteria that count, separated by commas: {', '.join(CRITERIA)} (default: drift,errors,latency)"
    parser.add_argument("--fail-on", metavar="LIST", default="drift,errors,latency", help=text)
    text = "requests of each revision that a criterion needs to pass (default: %(default)s)"
    parser.add_argument("--min-requests", type=int, metavar="N", default=100, help=text)
    text = "how long to watch, such as 10m; ends as soon as a criterion fails (default: one look)"
    parser.add_argument("--wait", metavar="DURATION", default="0s", help=text)
    text = "of a pod of either revision, or of the logger (default: %(default)s)"
    parser.add_argument("--admin-url", metavar="URL", default="http://127.0.0.1:9464", help=text)
    text = f"file with the bearer token (default: the variable {ADMIN_TOKEN})"
    parser.add_argument("--token-file", type=Path, metavar="FILE", help=text)
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="authorities of the server's certificate")
    parser.add_argument("--json", action="store_true", help="print the newest comparison as JSON")
