"""The answers that the proxy makes itself."""

import json

from sidecar.proxy.client import error_answer


def test_error_has_kserves_form() -> None:
    """An error is JSON with one member, `error`, whose length is told."""
    head, body = error_answer(502, 'No "model".', stays=True)

    assert {"error": 'No "model".'} == json.loads(body)
    assert (
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) == head
    )


def test_error_may_end_the_connection() -> None:
    """An error after which the connection ends says so."""
    assert b"\r\nConnection: close\r\n" in error_answer(400, "No.", stays=False)[0]


def test_error_of_a_head_request() -> None:
    """A HEAD is told the length of the body that it does not get."""
    head, body = error_answer(504, "Late.", stays=True, head_only=True)

    assert error_answer(504, "Late.", stays=True)[0] == head
    assert b"" == body
