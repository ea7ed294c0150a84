"""Raw requests with what the standard demands of a proxy or server, and what our proxy does.

`tests.support.framing` holds those about framing, here are those about targets, methods, versions, fields and limits.
docs/framing.md is generated from this module and shows all of them beside nginx and haproxy.
"""

from typing import NamedTuple

from tests.support.framing import CHUNKED, CUT, HOST, LAST, PASSED, POST, REFUSED, SMUGGLED
from tests.support.framing_rules import Rule, rule_of


class Outcome(NamedTuple):
    """What a proxy does with the bytes of a client.

    Args:
        statuses: The status codes that the client gets, in their order.
        forwarded: Number of complete requests that the server behind the proxy gets.
    """

    statuses: tuple[int, ...]
    forwarded: int

    def __str__(self) -> str:
        """The status codes, and the number of forwarded requests if it is not that of the successes."""
        codes = " ".join(map(str, self.statuses)) or "waits"
        return codes if self.forwarded == self.statuses.count(200) else f"{codes} ({self.forwarded} forwarded)"


class Entry(NamedTuple):
    """One raw request.

    Args:
        name: Unique.
        raw: The bytes that the client sends; it then waits.
        rule: Of the standard.
        ours: What our proxy does.
    """

    name: str
    raw: bytes
    rule: Rule
    ours: Outcome


REFUSAL, SUCCESS, WAITING = Outcome((400,), 0), Outcome((200,), 1), Outcome((), 0)
TWO = Outcome((200, 200), 2)
TOO_LARGE, UNSUPPORTED = Outcome((431,), 0), Outcome((501,), 0)


def get(target: bytes = b"/", *lines: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    """A request without a body; the `Host` is `m`."""
    return (
        method
        + b" "
        + target
        + b" HTTP/"
        + version
        + b"\r\n"
        + HOST
        + b"".join(line + b"\r\n" for line in lines)
        + b"\r\n"
    )


def _framing() -> list[Entry]:
    refused = {**REFUSED, **CUT}
    passed = {name: sent for name, (sent, _) in PASSED.items()}
    return [
        *(Entry(name, raw, rule_of(name), REFUSAL) for name, raw in refused.items()),
        *(Entry(name, raw, rule_of(name), SUCCESS) for name, raw in passed.items()),
    ]


_ABSOLUTE = Rule("RFC 9112 3.2.2", "absolute-form must be accepted; its authority replaces the Host")
_USERINFO = Rule("RFC 9110 4.2.4", "userinfo should be handled as an error")
_FORM = Rule("RFC 9112 3.2", "a target is in origin-, absolute-, authority- or asterisk-form; a fragment is in none")
_CONNECT = Rule("RFC 9112 3.2.3", "authority-form is only for CONNECT, which a server need not support")
_ASTERISK = Rule("RFC 9112 3.2.4", "asterisk-form is only for OPTIONS")
_PATH = Rule("RFC 3986 3.3", "a proxy must not rewrite the path (RFC 9110 7.7)")
_LONG = Rule("RFC 9112 3", "a request line of 8,000 bytes ought to be accepted, a longer target must get 414")
_METHOD = Rule("RFC 9110 9.1", "a method that is not known should get 501")
_KNOWN = Rule("RFC 9110 9.3", "a standard method is forwarded")
_EXPECT = Rule("RFC 9110 10.1.1", "100-continue is forwarded, or 100 is sent at once; another expectation may get 417")
_UPGRADE = Rule("RFC 9110 7.8", "Upgrade may be ignored, and is for one connection only")
_OLD = Rule("RFC 9112 9.3", "HTTP/1.0 keeps the connection only with keep-alive, and needs no Host")
_PIPELINE = Rule("RFC 9112 9.3.2", "pipelined requests must get their responses in order")
_CLOSE = Rule("RFC 9112 9.6", "nothing after a request with close must be processed")
_FIELD = Rule("RFC 9110 5.5", "a value may hold any visible byte, also above 0x7f, and white space within")
_NAME = Rule("RFC 9110 5.1", "the name of a field is any token")
_LIMIT = Rule("RFC 9110 5.4", "a server may limit fields, and must then respond with a 4xx")
_HOP = Rule("RFC 9110 7.6.1", "fields for one connection must not be forwarded")
_CHUNK = Rule("RFC 9112 7.1", "a chunked body ends with a chunk of size 0")
_TRAILER = Rule("RFC 9110 6.5.1", "a trailer that frames or routes must not be merged into the head")
_HOST = Rule("RFC 9112 3.2", "Host is a uri-host and a port; an invalid one must get 400")
_END = Rule("RFC 9112 8", "a message is complete only with its whole body")
_BODY = Rule("RFC 9112 6.3", "a request has a body if its framing says so, whatever the method")
_OTHER = Rule("RFC 9112 2.2", "bytes that are not a request should get 400")

TARGETS = [
    Entry("absolute-form", get(b"http://m/a"), _ABSOLUTE, SUCCESS),
    Entry("absolute-form of another host", get(b"http://n/a"), _ABSOLUTE, SUCCESS),
    Entry("absolute-form in capitals", get(b"HTTP://n/a"), _ABSOLUTE, SUCCESS),
    Entry("absolute-form without a path", get(b"http://n"), _ABSOLUTE, SUCCESS),
    Entry("absolute-form with a query only", get(b"http://n?a"), _ABSOLUTE, SUCCESS),
    Entry("absolute-form without Host", b"GET http://n/ HTTP/1.1\r\n\r\n", _HOST, REFUSAL),
    Entry("absolute-form without a host", get(b"http:///a"), _FORM, REFUSAL),
    Entry("absolute-form of https", get(b"https://n/a"), _ABSOLUTE, REFUSAL),
    Entry("absolute-form of ftp", get(b"ftp://n/a"), _ABSOLUTE, REFUSAL),
    Entry("absolute-form with userinfo", get(b"http://a:b@n/"), _USERINFO, REFUSAL),
    Entry("absolute-form with an invalid port", get(b"http://n:x/"), _HOST, REFUSAL),
    Entry("authority-form", get(b"m:80"), _CONNECT, REFUSAL),
    Entry("CONNECT", get(b"m:80", method=b"CONNECT"), _CONNECT, UNSUPPORTED),
    Entry("CONNECT to a path", get(b"/", method=b"CONNECT"), _CONNECT, UNSUPPORTED),
    Entry("asterisk-form", get(b"*", method=b"OPTIONS"), _ASTERISK, SUCCESS),
    Entry("asterisk-form of GET", get(b"*"), _ASTERISK, REFUSAL),
    Entry("OPTIONS of a URL without a path", get(b"http://n", method=b"OPTIONS"), _ASTERISK, SUCCESS),
    Entry("path without a slash", get(b"a"), _FORM, REFUSAL),
    Entry("fragment", get(b"/a#b"), _FORM, REFUSAL),
    Entry("two slashes", get(b"//n/a"), _PATH, SUCCESS),
    Entry("parent folders", get(b"/a/../../b"), _PATH, SUCCESS),
    Entry("parent folders, encoded", get(b"/a/%2e%2e/b"), _PATH, SUCCESS),
    Entry("NUL, encoded", get(b"/%00"), _PATH, SUCCESS),
    Entry("percent without digits", get(b"/%zz"), _PATH, SUCCESS),
    Entry("backslash", get(b"/a\\b"), _PATH, SUCCESS),
    Entry("characters that no URI has", get(b'/a"<>^`{|}'), _PATH, SUCCESS),
    Entry("empty query", get(b"/?"), _PATH, SUCCESS),
    Entry("target of 8,000 bytes", get(b"/" + b"a" * 8000), _LONG, SUCCESS),
    Entry("target of 60,000 bytes", get(b"/" + b"a" * 60_000), _LONG, SUCCESS),
    Entry("target of 70,000 bytes", get(b"/" + b"a" * 70_000), _LONG, Outcome((414,), 0)),
]
METHODS = [
    *(Entry(name, get(method=name.encode()), _KNOWN, SUCCESS) for name in ("HEAD", "DELETE", "OPTIONS", "TRACE")),
    Entry("PUT", get(b"/", b"Content-Length: 1", method=b"PUT") + b"a", _KNOWN, SUCCESS),
    Entry("PATCH", get(b"/", b"Content-Length: 1", method=b"PATCH") + b"a", _KNOWN, SUCCESS),
    Entry("PROPFIND", get(method=b"PROPFIND"), _METHOD, SUCCESS),
    Entry("M-SEARCH", get(method=b"M-SEARCH"), _METHOD, SUCCESS),
    Entry("unknown method", get(method=b"FOO"), _METHOD, REFUSAL),
    Entry("method of all kinds of characters", get(method=b"!#$%&'*+-.^_`|~"), _METHOD, REFUSAL),
    Entry("method of 1,000 bytes", get(method=b"A" * 1000), _METHOD, REFUSAL),
    Entry("GET in chunks", get(b"/", b"Transfer-Encoding: chunked") + b"1\r\na\r\n" + LAST, _BODY, SUCCESS),
    Entry("DELETE with a body", get(b"/", b"Content-Length: 1", method=b"DELETE") + b"a", _BODY, SUCCESS),
    Entry("POST without framing", POST + b"\r\n", _BODY, SUCCESS),
    Entry("body that is too short", POST + b"Content-Length: 3\r\n\r\nab", _END, WAITING),
    Entry("body that never comes", POST + b"Content-Length: 999999999999999999\r\n\r\n", _END, WAITING),
]
VERSIONS = [
    Entry("HTTP/1.0", get(version=b"1.0"), _OLD, SUCCESS),
    Entry("HTTP/1.0 without Host", b"GET / HTTP/1.0\r\n\r\n", _OLD, SUCCESS),
    Entry("HTTP/1.0 with a body", b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\na", _OLD, SUCCESS),
    Entry("HTTP/1.0, two requests", get(version=b"1.0") * 2, _OLD, SUCCESS),
    Entry("HTTP/1.0, kept", get(b"/", b"Connection: keep-alive", version=b"1.0") * 2, _OLD, TWO),
    Entry("HTTP/1.0 with two Hosts", get(b"/", b"Host: n", version=b"1.0"), _HOST, REFUSAL),
    Entry("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", _OTHER, REFUSAL),
    Entry("a TLS client", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", _OTHER, REFUSAL),
    Entry("a response", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", _OTHER, REFUSAL),
    Entry("a byte order mark", b"\xef\xbb\xbf" + get(), _OTHER, REFUSAL),
    Entry("half a head", b"GET / HTTP/1.1\r\nHost:", _END, WAITING),
]
CONNECTIONS = [
    Entry("two pipelined", get() * 2, _PIPELINE, TWO),
    Entry("three pipelined", get() + POST + b"Content-Length: 1\r\n\r\na" + get(), _PIPELINE, Outcome((200,) * 3, 3)),
    Entry("twenty pipelined", get() * 20, _PIPELINE, Outcome((200,) * 20, 20)),
    Entry("chunks, then a request", CHUNKED + b"1\r\na\r\n" + LAST + get(), _PIPELINE, TWO),
    Entry("empty line between", POST + b"Content-Length: 1\r\n\r\na\r\n" + get(), _PIPELINE, TWO),
    Entry("a request, then noise", get() + b"\x00\x01", _PIPELINE, Outcome((200, 400), 1)),
    Entry("close, then a request", get(b"/", b"Connection: close") + get(), _CLOSE, SUCCESS),
    Entry("close in capitals", get(b"/", b"Connection: CLOSE") + get(), _CLOSE, SUCCESS),
    Entry("close in a list", get(b"/", b"Connection: x, close") + get(), _CLOSE, SUCCESS),
    Entry("close in the second line", get(b"/", b"Connection: x", b"Connection: close") + get(), _CLOSE, SUCCESS),
    Entry("connection names a field", get(b"/", b"Connection: x", b"X: a"), _HOP, SUCCESS),
    Entry("connection names Host", get(b"/", b"Connection: host"), _HOP, SUCCESS),
    Entry("connection names the coding", CHUNKED[:-2] + b"Connection: transfer-encoding\r\n\r\n" + LAST, _HOP, SUCCESS),
    Entry("Proxy-Connection", get(b"/", b"Proxy-Connection: keep-alive"), _HOP, SUCCESS),
    Entry("Keep-Alive", get(b"/", b"Connection: keep-alive", b"Keep-Alive: timeout=5"), _HOP, SUCCESS),
    Entry("TE", get(b"/", b"Connection: te", b"TE: trailers"), _HOP, SUCCESS),  # codespell:ignore te
    Entry("Upgrade to a WebSocket", get(b"/", b"Connection: Upgrade", b"Upgrade: websocket"), _UPGRADE, SUCCESS),
    Entry(
        "Upgrade to h2c",
        get(b"/", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA"),
        _UPGRADE,
        SUCCESS,
    ),
    Entry("Upgrade, then a request", get(b"/", b"Connection: Upgrade", b"Upgrade: x") + get(), _UPGRADE, TWO),
    Entry("Upgrade without Connection", get(b"/", b"Upgrade: h2c"), _UPGRADE, SUCCESS),
    Entry(
        "Upgrade with a body",
        POST + b"Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\na",
        _UPGRADE,
        SUCCESS,
    ),
]
EXPECTATIONS = [
    Entry("Expect, with its body", POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\na", _EXPECT, SUCCESS),
    Entry("Expect, without a body", get(b"/", b"Expect: 100-continue"), _EXPECT, SUCCESS),
    Entry(
        "Expect in HTTP/1.0", b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na", _EXPECT, SUCCESS
    ),
    Entry("another expectation", POST + b"Expect: x\r\nContent-Length: 1\r\n\r\na", _EXPECT, SUCCESS),
    Entry("Expect in capitals", POST + b"EXPECT: 100-CONTINUE\r\nContent-Length: 1\r\n\r\na", _EXPECT, SUCCESS),
]
FIELDS = [
    Entry("8-bit value", get(b"/", b"X: \xe9\xff\x80"), _FIELD, SUCCESS),
    Entry("UTF-8 value", get(b"/", "X: größe".encode()), _FIELD, SUCCESS),
    Entry("tab within a value", get(b"/", b"X: a\tb"), _FIELD, SUCCESS),
    Entry("no space behind the colon", get(b"/", b"X:a"), _FIELD, SUCCESS),
    Entry("empty value", get(b"/", b"X:"), _FIELD, SUCCESS),
    Entry("value of white space", get(b"/", b"X: \t "), _FIELD, SUCCESS),
    Entry("escape byte in a value", get(b"/", b"X: \x1b[31m"), _FIELD, REFUSAL),
    Entry("vertical tab in a value", get(b"/", b"X: a\x0bb"), _FIELD, REFUSAL),
    Entry("name of punctuation", get(b"/", b"!#$%&'*+-.^`|~: a"), _NAME, SUCCESS),
    Entry("name with an underscore", get(b"/", b"content_length: 5"), _NAME, SUCCESS),
    Entry("name of 8-bit bytes", get(b"/", b"\xff: a"), _NAME, REFUSAL),
    Entry("name in quotes", get(b"/", b'"x": a'), _NAME, REFUSAL),
    Entry("name of 1,000 bytes", get(b"/", b"x" * 1000 + b": a"), _NAME, SUCCESS),
    Entry("one field twice", get(b"/", b"X: a", b"X: b"), _FIELD, SUCCESS),
    Entry("500 fields", get(b"/", *[b"X: a"] * 500), _LIMIT, SUCCESS),
    Entry("600 fields", get(b"/", *[b"X: a"] * 600), _LIMIT, TOO_LARGE),
    Entry("field of 8,000 bytes", get(b"/", b"X: " + b"a" * 8000), _LIMIT, SUCCESS),
    Entry("field of 100,000 bytes", get(b"/", b"X: " + b"a" * 100_000), _LIMIT, SUCCESS),
    Entry("field of 150,000 bytes", get(b"/", b"X: " + b"a" * 150_000), _LIMIT, TOO_LARGE),
    Entry("head of 300,000 bytes", get(b"/", *[b"X: " + b"a" * 100_000] * 3), _LIMIT, TOO_LARGE),
    Entry("Host with a port", b"GET / HTTP/1.1\r\nHost: m:8080\r\n\r\n", _HOST, SUCCESS),
    Entry("Host of IPv6", b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", _HOST, SUCCESS),
    Entry("Host with an underscore", b"GET / HTTP/1.1\r\nHost: a_b\r\n\r\n", _HOST, SUCCESS),
    Entry("Host with a fragment", b"GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", _HOST, REFUSAL),
    Entry("Host of 8-bit bytes", b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", _HOST, REFUSAL),
    Entry("Host in capitals", b"GET / HTTP/1.1\r\nHOST: M\r\n\r\n", _HOST, SUCCESS),
]
CHUNKS = [
    Entry("size in capitals", CHUNKED + b"A\r\n0123456789\r\n" + LAST, _CHUNK, SUCCESS),
    Entry("size of 15 digits that never comes", CHUNKED + b"fffffffffffffff\r\na", _END, WAITING),
    Entry("size of 16 digits", CHUNKED + b"0000000000000001\r\na\r\n" + LAST, _CHUNK, REFUSAL),
    Entry("no last chunk", CHUNKED + b"1\r\na\r\n", _END, WAITING),
    Entry("no empty line behind the last chunk", CHUNKED + b"0\r\n", _END, WAITING),
    Entry("chunks that hold a request", CHUNKED + b"%x\r\n%b\r\n" % (len(SMUGGLED), SMUGGLED) + LAST, _CHUNK, SUCCESS),
    Entry("a thousand chunks of one byte", CHUNKED + b"1\r\na\r\n" * 1000 + LAST, _CHUNK, SUCCESS),
    Entry("two trailers", CHUNKED + b"0\r\nX: a\r\nY: b\r\n\r\n", _CHUNK, SUCCESS),
    Entry("trailer that routes", CHUNKED + b"0\r\nHost: n\r\n\r\n", _TRAILER, SUCCESS),
    Entry("trailer that frames by chunks", CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n", _TRAILER, SUCCESS),
    Entry("trailer that authorizes", CHUNKED + b"0\r\nAuthorization: a\r\n\r\n", _TRAILER, SUCCESS),
    Entry("trailers of 70,000 bytes", CHUNKED + b"0\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", _LIMIT, REFUSAL),
]

CORPUS = {
    "Framing": _framing(),
    "Targets": TARGETS,
    "Methods and bodies": METHODS,
    "Versions": VERSIONS,
    "Connections": CONNECTIONS,
    "Expectations": EXPECTATIONS,
    "Fields": FIELDS,
    "Chunks": CHUNKS,
}
"""All entries by subject."""

ENTRIES = [entry for entries in CORPUS.values() for entry in entries]
