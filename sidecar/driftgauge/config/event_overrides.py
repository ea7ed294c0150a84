"""The extensions that Knative adds to all events of a source.

Source: Knative Eventing, SinkBinding, https://knative.dev/docs/eventing/custom-event-source/sinkbinding/reference/.
"""

import json
import re
from typing import Final

_NAME: Final = re.compile("[a-z0-9]{1,20}")
_RESERVED: Final = frozenset({"id", "source", "type", "specversion", "subject", "time", "data"})
_RESERVED_DATA: Final = frozenset({"dataschema", "datacontenttype"})
_MAX_CHARS: Final = 1_000
_MAX_EXTENSIONS: Final = 50
_RULE: Final = 'must be JSON such as {"extensions": {"team": "wine"}}'


def read_overrides(text: str) -> dict[str, str]:
    """The extensions by name; none of an empty text.

    Raises:
        ValueError: The text has another form, or an extension cannot be one (CloudEvents 1.0.2, section 3.1).
    """
    try:
        value = json.loads(text or "{}")
    except ValueError:
        raise ValueError(_RULE) from None
    extensions = value.get("extensions") or {} if isinstance(value, dict) else None
    if not isinstance(extensions, dict) or len(extensions) > _MAX_EXTENSIONS:
        raise ValueError(_RULE)
    for name, item in extensions.items():
        if not _NAME.fullmatch(name) or name in _RESERVED | _RESERVED_DATA:
            raise ValueError(f"names the extension {name!r:.40}: 1 to 20 lower-case letters and digits, no attribute")
        if not isinstance(item, str) or len(item) > _MAX_CHARS or not item.isprintable():
            raise ValueError(f"gives the extension {name} a value that is no text of at most {_MAX_CHARS} characters")
    return extensions
