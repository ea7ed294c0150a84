"""What can be wrong with an exchange, and whose fault it is. This file does no I/O."""

BAD_REQUEST = 400
TIMED_OUT = 408
TOO_MUCH = 431
CLIENT_LEFT = 499
FAULT = 500
NOT_CARRIED = 501
BAD_GATEWAY = 502
CUT_OFF = 503
GATEWAY_TIMEOUT = 504


class RefusedError(ValueError):
    """A request that is not carried: the client's fault.

    Args:
        sentence: Why, for a person; quotes no byte of the request.
        status: What the client is told.
    """

    def __init__(self, sentence: str, status: int = BAD_REQUEST) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class BadResponseError(ValueError):
    """An answer that is not HTTP/1.1, or ends before its end: the model server's fault."""


class ExchangeError(Exception):
    """An exchange failed, and the client is told so if nothing of an answer has reached it.

    Args:
        status: What the client is told: 502 or 504, or 400 or 408 if the fault is its own.
        sentence: Why, for a person.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
