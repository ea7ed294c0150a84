"""Sends events with version 1 of the CloudEvents SDK: `python send_cloudevents1.py URL` < events.

Reads a JSON list of `{"mode", "attributes", "data"}`; prints the list of the responses' status codes.
It runs in a separate environment, because the project uses version 2.
"""

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

from cloudevents.http import CloudEvent, to_binary, to_structured  # type: ignore[import-not-found]

WRITERS = {"binary": to_binary, "structured": to_structured}


def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """POST; returns the status code of the response."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


if __name__ == "__main__":
    statuses = []
    for wanted in json.load(sys.stdin):
        event = CloudEvent(wanted["attributes"], wanted["data"])
        statuses.append(post(sys.argv[1], *WRITERS[wanted["mode"]](event)))
    print(json.dumps(statuses))  # noqa: T201 - the test reads it
