"""The command `completion`: prints the script that completes commands, flags and files in a shell.

The scripts are files of the package. `python -m tests.style.completion_scripts` generates them from the parser.
"""

from importlib.resources import files
from typing import Final, TextIO

SHELLS: Final = ("bash", "zsh", "fish")
"""The shells that have a script."""


def run_completion(shell: str, out: TextIO) -> int:
    """Print the script of a shell.

    Args:
        shell: One of `SHELLS`.
        out: Receives the script.

    Returns:
        Exit code 0.
    """
    out.write(files("driftgauge.cli").joinpath("completions", f"driftgauge.{shell}").read_text("utf-8"))
    return 0
