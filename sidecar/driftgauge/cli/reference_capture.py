"""The command `reference capture`: the window of a running sidecar becomes a reference, once a person says so."""

from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TextIO
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

from driftgauge.cli.reference_files import print_reference
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.dataset import prepare
from driftgauge.reference.files import MAX_FILE_BYTES, parse_table
from driftgauge.reference.formats.driftgauge_npz import check_output, write_whole

CAPTURED, NOT_WANTED, FAULT = 0, 1, 2
"""Exit codes."""

TIMEOUT_SECONDS = 30
"""The sidecar reads its ring for the answer, which takes a second at most."""

MAX_SENTENCE_BYTES = 500
"""How much of a refusal is shown."""


@dataclass(frozen=True, slots=True)
class WindowAddress:
    """Where a window is asked for.

    Args:
        admin_url: Of the sidecar's admin port, `http://` or `https://`.
        namespace: The InferenceService's.
        inference_service: Its name.
        component: Its component.
        model_name: The model's name.
    """

    admin_url: str
    namespace: str
    inference_service: str
    component: str
    model_name: str

    @property
    def url(self) -> str:
        """The full address."""
        query = urlencode(
            {
                "namespace": self.namespace,
                "inference_service": self.inference_service,
                "component": self.component,
                "model_name": self.model_name,
            }
        )
        return f"{self.admin_url.rstrip('/')}/window?{query}"


@dataclass(frozen=True, slots=True)
class Terminal:
    """The terminal.

    Args:
        question: Whether to ask before the file is written.
        replies: Where the answer is read.
        out: Takes what the window holds, and the question.
        err: Takes faults.
    """

    question: bool
    replies: TextIO
    out: TextIO
    err: TextIO


def run_capture(window: WindowAddress, output: Path, talk: Terminal) -> int:
    """Fetch a window, show it, and write it as reference.

    Args:
        window: Where it is asked for.
        output: The reference, `.npz`; what was there before is replaced.
        talk: The terminal.

    Returns:
        Exit code: 0 written, 1 the person did not say yes, 2 a fault.
    """
    try:
        check_output(output)
        content = fetch(window.url)
        reference = prepare(parse_table(output, content), 0.0)
        print_reference(reference, talk.out)
        if talk.question and not _confirmed(reference.rows, talk):
            talk.err.write(f"{output}: not written\n")
            return NOT_WANTED
        write_whole(output, content)
    except ReferenceDataError as error:
        talk.err.write(f"{error}\n")
        return FAULT
    talk.out.write(f"wrote {output}\n")
    return CAPTURED


def fetch(url: str) -> bytes:
    """The window as the admin port gives it.

    Raises:
        ReferenceDataError: Nobody answers, or the answer is no; the sentence says why.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ReferenceDataError(f"{url}: the admin URL must begin with http:// or https://")
    try:
        with urlopen(url, timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310 the scheme is checked above
            content: bytes = reply.read(MAX_FILE_BYTES + 1)
    except HTTPError as error:
        with error:
            sentence = error.read(MAX_SENTENCE_BYTES).decode("utf-8", "replace").strip()
        raise ReferenceDataError(
            f"{url}: {error.code}: {sentence if sentence.isprintable() else repr(sentence)}"
        ) from None
    except (OSError, HTTPException, ValueError) as error:
        raise ReferenceDataError(f"{url}: no answer: {getattr(error, 'reason', error)}") from error
    if len(content) > MAX_FILE_BYTES:
        raise ReferenceDataError(f"{url}: the answer is larger than {MAX_FILE_BYTES >> 20} MiB")
    return content


def _confirmed(rows: int, talk: Terminal) -> bool:
    """Whether the person says yes; an end of input is no."""
    talk.out.write(f"Use these {rows} rows as reference? Type yes: ")
    talk.out.flush()
    return talk.replies.readline().strip().lower() == "yes"
