"""A CloudEvent of driftgauge's own as an HTTP request in binary mode, by the SDK."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from cloudevents.core.bindings.http import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from driftgauge.inference.payload import printable

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Characters that no attribute may have: CloudEvents 1.0.2, section 3.1 (String)."""


class SentEvent(NamedTuple):
    """The attributes of an event; see CloudEvents 1.0.2, section 3.1.

    Args:
        id: Unique for its source.
        source: A URI reference.
        type: The type.
        subject: What it is about, in the context of its source.
        time: When it happened, with its zone.
        dataschema: Identifies the schema of the data.
        datacontenttype: The type of the data.
        extensions: By name; names with empty values are left out.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    dataschema: str
    datacontenttype: str
    extensions: Mapping[str, str]


def make_request(event: SentEvent, data: bytes) -> tuple[Mapping[str, str], bytes]:
    """The headers and the body of a request with an event.

    Source:
        CloudEvents 1.0.2, HTTP protocol binding, section 3.1 (binary mode).
    """
    attributes: dict[str, Any] = {**event._asdict(), "specversion": "1.0"}
    del attributes["extensions"]
    attributes |= {name: _attribute(value) for name, value in event.extensions.items() if value}
    message = to_binary(CloudEvent(attributes, data), JSONFormat())
    return message.headers, message.body


def _attribute(value: str) -> str:
    r"""The value without what no attribute may have: `\n` becomes two characters."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), printable(value))
