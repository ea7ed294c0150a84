"""A transport without a network, and an event loop whose time is set by hand: both ends of a connection in a test."""

import asyncio
import socket


class ManualLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers fire when a test moves `now`, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0

    def time(self) -> float:
        """The time that the test has set."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the time, and run what is due."""
        self.now += seconds
        for _ in range(3):
            self.run_until_complete(asyncio.sleep(0))


class RecordingTransport(asyncio.Transport):
    """Records what is written, and holds it until the test reads it.

    Attributes:
        written: All bytes.
        may_read: Whether the protocol reads.
        was_reset: Whether the connection was ended at once.
        after_close: Bytes that were written after the connection had ended: always an error.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.after_close = b""
        self.may_read = True
        self.was_reset = False
        self.has_sent_eof = False
        self.is_closed = False
        self._socket, self._peer = socket.socketpair()
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's signature

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Record it."""
        if self.is_closed or self.has_sent_eof:
            self.after_close += bytes(data)
        else:
            self.written += bytes(data)

    def write_eof(self) -> None:
        """Record it."""
        self.has_sent_eof = True

    def is_closing(self) -> bool:
        """Whether the connection has ended."""
        return self.is_closed

    def close(self) -> None:
        """Record it."""
        self.is_closed = True

    def abort(self) -> None:
        """Record it."""
        self.was_reset = not self.is_closed or self.was_reset
        self.is_closed = True

    def pause_reading(self) -> None:
        """Record it."""
        self.may_read = False

    def resume_reading(self) -> None:
        """Record it."""
        self.may_read = True

    def get_extra_info(self, name: str, default: object = None) -> object:
        """A real socket, for its file number and options."""
        return self._socket if name == "socket" else default

    def deliver(self, data: bytes) -> None:
        """Leave bytes of the peer unread in the socket."""
        self._peer.sendall(data)

    def release(self) -> None:
        """Close the socket behind it."""
        self._socket.close()
        self._peer.close()
