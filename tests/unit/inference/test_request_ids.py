"""The ids of a request: the trace id of W3C Trace Context, and what a line has without one."""

import pytest

from driftgauge.inference.request_ids import header_fields, request_fields, trace_id

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
VALID = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.mark.parametrize("header", [VALID, f"01-{TRACE}-00f067aa0ba902b7-00", f"cc-{TRACE}-00f067aa0ba902b7-01-what"])
def test_the_trace_id_of_a_valid_header(header: str) -> None:
    """Later versions may have more parts."""
    assert TRACE == trace_id(header.encode())


@pytest.mark.parametrize(
    "header",
    [
        "",
        TRACE,
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-what",
        f"00-{TRACE}-00f067aa0ba902b7-1",
        f"{VALID}\n",
        f"{VALID}, {VALID}",
        f"cc-{TRACE}-00f067aa0ba902b7-01.what",
    ],
)
def test_an_invalid_header_has_no_trace_id(header: str) -> None:
    """The whole header is ignored, as the specification requires."""
    assert trace_id(header.encode()) is None


def test_only_what_is_there_becomes_a_field() -> None:
    """An id without a trace, a trace without an id, neither."""
    assert {"request_id": "a"} == request_fields("a", b"")
    assert {"trace_id": TRACE} == request_fields("", VALID.encode())
    assert {} == request_fields("", b"x")
    assert 256 == len(str(request_fields("a" * 300, b"")["request_id"]))


def test_the_ids_of_header_fields() -> None:
    """The id of CloudEvents goes before that of the proxies, and bytes that are no text are replaced."""
    headers = {b"x-request-id": b"b", b"ce-id": b"a\xff", b"traceparent": VALID.encode()}

    assert {"request_id": "a\ufffd", "trace_id": TRACE} == header_fields(headers)
    assert {"request_id": "b"} == header_fields({b"x-request-id": b"b"})
