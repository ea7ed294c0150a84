"""How much of what a connection sent has reached the other system, as that system has acknowledged it.

So the end of an idle connection differs from a model server that fails because of a request. Measured on the
loopback of Linux 6.18, at the moment in which the connection to the model server has ended:

| the model server | acknowledged |
|---|---|
| closed or reset the connection before the request came | none of it, in each of 8,000 trials |
| read the request and closed, or its process died | all of it: a FIN acknowledges what came before it |
| reset 60 ms after the request came, whether it had read it or not | all of it |
| read the request and reset within 30 ms | none of it |

The last row is the limit of the method: a system delays an acknowledgement by some 40 ms, to send it with a response,
and the acknowledgement in a reset is not counted. Bytes that are not acknowledged were most likely not read, but not
certainly. Bytes that are acknowledged came before the end.
"""

import socket
import struct
from typing import Final

_BYTES_ACKED_OFFSET: Final = 120
"""Of `tcpi_bytes_acked`, 64 bits in `struct tcp_info` of linux/tcp.h (Linux 4.1), which only grows at its end."""

_SIZE: Final = _BYTES_ACKED_OFFSET + 8

_SYN_BYTES: Final = 1
"""The segment that opens a connection is acknowledged like a byte."""


def acknowledged_bytes(connection: socket.socket) -> int:
    """How many bytes that were written to a TCP connection were acknowledged; 0 if the system does not say.

    Args:
        connection: May have ended, but is not closed on this side.
    """
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    except OSError:  # not a TCP connection
        return 0
    if len(info) < _SIZE:
        return 0
    acknowledged: int = struct.unpack_from("=Q", info, _BYTES_ACKED_OFFSET)[0]
    return max(0, acknowledged - _SYN_BYTES)
