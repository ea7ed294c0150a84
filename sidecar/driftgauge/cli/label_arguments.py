"""The flags of `driftgauge labels post`."""

from pathlib import Path
from typing import Final

from driftgauge.cli.command_parser import CommandParser
from driftgauge.config.environment import PREFIX
from driftgauge.inference.payload import COMPONENTS

TOKEN_VARIABLE: Final = f"{PREFIX}LABELS_TOKEN"
"""The variable that has the bearer token."""

LABEL_COLUMNS: Final = {
    "id": "of the inference: of the request's Ce-Id or X-Request-Id, or of the V2 response",
    "label": "what would have been right; a row without it is left out",
    "row": "the row of an inference with several rows, from 0",
    "output": "the name of the output",
    "time": "when the response passed: RFC 3339, or seconds or milliseconds since 1970",
}

"""What the columns of a file have, by the parts of a label."""


def add_labels(parser: CommandParser) -> None:
    """Add the command to a parser."""
    command = parser.add_commands("action", "ACTION")
    post = command("post", "post the labels of a file: exit 0 all accepted, 1 some malformed, 2 not posted")
    post.add_argument("file", type=Path, metavar="FILE", help="CSV or Parquet file")
    text = "of the labels port, such as http://driftgauge-logger:9465"
    post.add_argument("--url", metavar="URL", required=True, help=text)
    post.add_argument("--inference-service", metavar="NAME", required=True, help="whose labels they are")
    post.add_argument("--namespace", metavar="NAME", default="", help="its namespace (default: empty)")
    post.add_argument("--component", choices=COMPONENTS, default=COMPONENTS[0], help="default: %(default)s")
    post.add_argument("--model", metavar="NAME", default="", help="name of the model (default: any of its models)")
    post.add_argument("--revision", metavar="NAME", default="", help="its revision (default: any)")
    for part, meaning in LABEL_COLUMNS.items():
        text = f"column with {meaning} (default: {part}" + (")" if part in {"id", "label"} else ", if the file has it)")
        post.add_argument(f"--{part}-column", metavar="NAME", default="", help=text)
    post.add_argument("--output", metavar="NAME", default="", help="the output of all labels (default: the first one)")
    text = f"file with the bearer token (default: the variable {TOKEN_VARIABLE})"
    post.add_argument("--token-file", type=Path, metavar="FILE", help=text)
    post.add_argument("--ca-file", type=Path, metavar="FILE", help="authorities of the server's certificate")
    text = "how long each body of 1,000 labels is tried (default: %(default)s)"
    post.add_argument("--retry-seconds", type=float, metavar="SECONDS", default=300.0, help=text)
