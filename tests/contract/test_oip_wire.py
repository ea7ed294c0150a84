"""Requests as they stand on the wire are decoded to what they hold."""

import pytest

from tests.support.payloads import gzipped, read, tables
from tests.support.wire import MESSAGES, WireMessage


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.file)
def test_decoded(message: WireMessage) -> None:
    """A message has the same values whether its JSON length is given or detected, plain or compressed."""
    assert message.tensors == tables(read(message.body, json_length=message.json_length))
    assert message.tensors == tables(read(message.body))
    assert message.tensors == tables(read(gzipped(message.body)))
