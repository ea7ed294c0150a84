"""The flags that say of which model of which process the window is read."""

import argparse

from driftgauge.inference.payload import COMPONENTS


def add_window_address(parser: argparse.ArgumentParser) -> None:
    """Add the flags to a parser; that of the revision is the command's own."""
    url = "http://127.0.0.1:9464"
    parser.add_argument("--admin-url", metavar="URL", default=url, help="of the process (default: %(default)s)")
    parser.add_argument("--inference-service", metavar="NAME", required=True, help="whose window it is")
    parser.add_argument("--namespace", metavar="NAME", default="", help="its namespace (default: empty)")
    parser.add_argument("--component", choices=COMPONENTS, default=COMPONENTS[0], help="default: %(default)s")
    parser.add_argument("--model", metavar="NAME", help="name of the model (default: that of the InferenceService)")
