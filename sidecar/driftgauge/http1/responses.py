"""A model server's bytes as the answer to one request. This file does no I/O."""

from collections.abc import Callable
from typing import Protocol

from driftgauge.http1.bodies import Body, BrokenBodyError, Chunked, KnownLength, UntilClose
from driftgauge.http1.framing import Lines
from driftgauge.http1.grammar import HOPELESS, MAX_HEAD_BYTES
from driftgauge.http1.heads import AnswerHead, read_answer
from driftgauge.http1.http_errors import BadAnswerError

_END = b"\r\n\r\n"
_END_BYTES = len(_END)
_SWITCHING = 101


class Receiver(Protocol):
    """Who waits for an answer."""

    def answer_head(self, head: AnswerHead) -> None:
        """A head has come: of the answer, or of a word before it."""

    def answer_piece(self, data: bytes) -> None:
        """A piece of the body has come; never an empty one."""

    def answer_end(self, trailers: Lines) -> None:
        """The answer has come whole, with these lines behind it."""

    def answer_flush(self) -> None:
        """All that came together has been told."""


class Answers:
    """Reads the answers on one connection, one for each request, and the words before them.

    Args:
        read: Reads heads, and may know those of other connections.
    """

    __slots__ = ("_body", "_held", "_keeps", "_method", "_read", "_receiver", "_seen", "done")

    def __init__(self, read: Callable[[bytes], AnswerHead] = read_answer) -> None:
        self._read = read
        self._method = b""
        self._receiver: Receiver | None = None
        self._held = b""
        self._seen = 0
        self._body: Body | None = None
        self._keeps = False
        self.done = True

    def expect(self, method: bytes, receiver: Receiver) -> None:
        """From now on what comes is the answer to a new request.

        Args:
            method: Of the request, since the answer to a HEAD has no body.
            receiver: Is told of it.
        """
        self._method = method
        self._receiver = receiver
        self._body = None
        self._keeps = self.done = False

    def forget(self) -> None:
        """Tell nobody what comes."""
        self._receiver = None

    @property
    def leaves_open(self) -> bool:
        """Whether the connection can carry another answer behind this one."""
        return self.done and self._keeps and not self._held

    def feed(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            BadAnswerError: They are no answer.
        """
        self._held = self._held + data if self._held else data
        while self._held and not self.done:
            body = self._body
            if not (self._read_head() if body is None else self._read_body(body)):
                break
        if not self.done and self._receiver is not None:
            self._receiver.answer_flush()

    def end(self) -> None:
        """The connection has ended well.

        Raises:
            BadAnswerError: The answer has not.
        """
        if self.done:
            return
        if self._body is None or not self._body.is_ended_by_close:
            raise BadAnswerError("the connection ended before the answer")
        self._end(())

    def _read_head(self) -> bool:
        data = self._held
        end = data.find(_END, self._seen - _END_BYTES if self._seen > _END_BYTES else 0) + _END_BYTES
        if end < _END_BYTES:
            if len(data) > MAX_HEAD_BYTES or HOPELESS.search(data, self._seen and self._seen - 1):
                raise BadAnswerError("the head is not HTTP/1.1")
            self._seen = len(data)
            return False
        head = self._read(data[:end])
        self._held, self._seen = data[end:], 0
        if head.status == _SWITCHING:
            raise BadAnswerError("it changed the protocol without being asked")
        receiver = self._receiver
        if receiver is None:
            return False
        if head.is_final:
            self._begin(head, receiver)
        else:
            receiver.answer_head(head)
        return True

    def _begin(self, head: AnswerHead, receiver: Receiver) -> None:
        held = self._held
        if held and head.length == len(held) and head.has_body(self._method):
            # As most: head and body came together, and nothing else.
            self._held, self._keeps = b"", head.keeps
            receiver.answer_head(head)
            if self._receiver is not None:
                receiver.answer_piece(held)
            self._end(())
            return
        body = self._body = _body_of(head, self._method)
        self._keeps = head.keeps and not body.is_ended_by_close
        receiver.answer_head(head)
        if body.done:
            self._end(())

    def _read_body(self, body: Body) -> bool:
        data, self._held = self._held, b""
        try:
            piece = body.feed(data)
        except BrokenBodyError as error:
            raise BadAnswerError(str(error)) from None
        if piece and self._receiver is not None:
            self._receiver.answer_piece(piece)
        if body.done:
            self._held = body.rest
            self._end(body.trailers)
        return False

    def _end(self, trailers: Lines) -> None:
        self.done = True
        if self._receiver is not None:
            self._receiver.answer_end(trailers)


def _body_of(head: AnswerHead, method: bytes) -> Body:
    if not head.has_body(method):
        return KnownLength(0)
    if head.chunked:
        return Chunked()
    return UntilClose() if head.length is None else KnownLength(head.length)
