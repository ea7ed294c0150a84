"""Requests as raw bytes whose framing is odd, or only looks odd: no proxy may forward the former.

Sources: RFC 9112 sections 2.2, 5, 6, 7.1, 11.2; J. Kettle, "HTTP Desync Attacks" (2019) and "HTTP/1.1 must die" (2025);
B. Kallus and S. Malik, the corpus of "HTTP Garden" (2024).
"""

HOST = b"Host: m\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: m\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(SMUGGLED)
LAST = b"0\r\n\r\n"

REFUSED = {
    # contradicting statements about the end of the body
    "length and chunks": POST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + LAST + SMUGGLED,
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + LAST + SMUGGLED,
    "two lengths": POST + b"Content-Length: 0\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "one length twice": POST + LENGTH + LENGTH + b"\r\n" + SMUGGLED,
    "two lengths in other case": POST + b"content-length: 0\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + LAST,
    "chunked and identity": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + LAST,
    # invalid lengths
    "signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "length with a space": POST + b"Content-Length: 1 0\r\n\r\n0123456789",
    "empty length": POST + b"Content-Length:\r\n\r\n",
    "length with underscore": POST + b"Content-Length: 1_0\r\n\r\n0123456789",
    "length beyond 64 bits": POST + b"Content-Length: 18446744073709551617\r\n\r\na",
    "decimal length": POST + b"Content-Length: 3.0\r\n\r\nabc",
    # transfer codings other than `chunked` alone
    "unknown coding": POST + b"Transfer-Encoding: x\r\n\r\n" + LAST,
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n" + LAST,
    "chunked is not last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + LAST,
    "chunked in quotes": POST + b'Transfer-Encoding: "chunked"\r\n\r\n' + LAST,
    "chunked with parameter": POST + b"Transfer-Encoding: chunked;a=b\r\n\r\n" + LAST,
    "chunked with a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + LAST,
    "chunked with a tab behind": POST + b"Transfer-Encoding: chunked\t\r\n\r\n" + LAST,
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + LAST,
    "chunked, empty": POST + b"Transfer-Encoding: chunked,\r\n\r\n" + LAST,
    "empty coding": POST + b"Transfer-Encoding:\r\n\r\n" + LAST,
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + LAST,
    # lines that two parsers would split differently
    "space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n" + LAST,
    "tab before the colon": POST + b"Content-Length\t: 3\r\n\r\nabc",
    "folded coding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + LAST,
    "folded line": POST + b"X: a\r\n\tb\r\n\r\n",
    "space before the first line": b"GET / HTTP/1.1\r\n Host: m\r\n\r\n",
    "bare LF in a line": POST + b"X: a\nContent-Length: 3\r\n\r\nabc",
    "bare LF at all ends": b"POST / HTTP/1.1\nHost: m\nContent-Length: 3\n\nabc",
    "bare LF before the body": POST + b"Content-Length: 3\r\n\nabc\r\n\r\n",
    "bare CR in a line": POST + b"X: a\rContent-Length: 3\r\n\r\nabc",
    "bare CR at the end": POST + b"X: a\r\r\n\r\n",
    "NUL in a value": POST + b"X: a\x00b\r\n\r\n",
    "NUL in a name": POST + b"Content-Length\x00: 3\r\n\r\nabc",
    "NUL before a length": POST + b"Content-Length: \x003\r\n\r\nabc",
    "DEL in a value": POST + b"X: \x7f\r\n\r\n",
    "no colon": POST + b"X\r\n\r\n",
    "no name": POST + b": a\r\n\r\n",
    "brackets in a name": POST + b"X(a): b\r\n\r\n",
    "UTF-8 in a name": POST + b"Content-Length\xc2\xa0: 3\r\n\r\nabc",
    # request lines
    "two spaces": b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    "tab for a space": b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "space within the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "space behind the version": b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n",
    "no version": b"GET /\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/1.10": b"GET / HTTP/1.10\r\n" + HOST + b"\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "lower case": b"GET / http/1.1\r\n" + HOST + b"\r\n",
    "another protocol": b"GET / RTSP/1.0\r\n" + HOST + b"\r\n",
    "no method": b"/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "method in lower case": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
    "CR in the request line": b"GET / HTTP/1.1\r\r\n" + HOST + b"\r\n",
    "beyond ASCII": b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
    "two empty lines before": b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
    "empty line of a bare LF before": b"\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
    # hosts
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + b"Host: n\r\n\r\n",
    "one host twice": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "two hosts in one": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host with a user": b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "host with a space": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
}

CUT = {
    # the head is valid, so it may have been forwarded already: the body must never look complete
    "invalid size": CHUNKED + b"x\r\n" + SMUGGLED,
    "empty size": CHUNKED + b"\r\n" + SMUGGLED,
    "negative size": CHUNKED + b"-1\r\na\r\n" + LAST,
    "signed size": CHUNKED + b"+1\r\na\r\n" + LAST,
    "size with 0x": CHUNKED + b"0x1\r\na\r\n" + LAST,
    "size beyond 64 bits": CHUNKED + b"10000000000000001\r\na\r\n" + LAST,
    "size with a space behind": CHUNKED + b"1 \r\na\r\n" + LAST,
    "size with a space before": CHUNKED + b" 1\r\na\r\n" + LAST,
    "size with a tab": CHUNKED + b"1\t\r\na\r\n" + LAST,
    "size with underscore": CHUNKED + b"1_0\r\n0123456789abcdef\r\n" + LAST,
    "size with NUL": CHUNKED + b"1\x00\r\na\r\n" + LAST,
    "bare LF behind the size": CHUNKED + b"1\na\r\n" + LAST,
    "bare CR behind the size": CHUNKED + b"1\ra\r\n" + LAST,
    "bare LF behind the content": CHUNKED + b"1\r\na\n" + LAST,
    "nothing behind the content": CHUNKED + b"1\r\na" + LAST,
    "more content than the size": CHUNKED + b"1\r\nab\r\n" + LAST,
    "CR CR LF behind the content": CHUNKED + b"1\r\na\r\r\n" + LAST,
    "extension with a bare LF": CHUNKED + b"1;a\nb\r\na\r\n" + LAST,
    "extension with a bare CR": CHUNKED + b"1;a\rb\r\na\r\n" + LAST,
    "extension with NUL": CHUNKED + b"1;a=\x00\r\na\r\n" + LAST,
    "extension without a name": CHUNKED + b"1;\r\na\r\n" + LAST,
    "extension with a space": CHUNKED + b"1; a=b\r\na\r\n" + LAST,
    "extension with a line break in quotes": CHUNKED + b'1;a="\r\n"\r\na\r\n' + LAST,
    "extension that does not end": CHUNKED + b"1;a=" + b"b" * 2000 + b"\r\na\r\n" + LAST,
    "extensions without end": CHUNKED + b"".join(b"1;a=%b\r\na\r\n" % (b"b" * 900) for _ in range(30)) + LAST,
    "last chunk of a bare LF": CHUNKED + b"0\n\n" + SMUGGLED,
    "trailer with a bare LF": CHUNKED + b"0\r\nX: a\nY: b\r\n\r\n" + SMUGGLED,
    "trailer with a space before the colon": CHUNKED + b"0\r\nX : a\r\n\r\n" + SMUGGLED,
    "trailer that is folded": CHUNKED + b"0\r\nX: a\r\n b\r\n\r\n" + SMUGGLED,
    "trailer without a colon": CHUNKED + b"0\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    "trailer with NUL": CHUNKED + b"0\r\nX: \x00\r\n\r\n",
}

PASSED = {
    # what was sent, and what arrives: always one complete message
    "length": (POST + b"Content-Length: 3\r\n\r\nabc", POST + b"Content-Length: 3\r\n\r\nabc"),
    "length of nothing": (POST + b"Content-Length: 0\r\n\r\n", POST + b"Content-Length: 0\r\n\r\n"),
    "length with zeros": (POST + b"Content-Length: 003\r\n\r\nabc", POST + b"Content-Length: 003\r\n\r\nabc"),
    "body that looks like a request": (POST + LENGTH + b"\r\n" + SMUGGLED, POST + LENGTH + b"\r\n" + SMUGGLED),
    "length with white space": (POST + b"Content-Length:\t3 \r\n\r\nabc", POST + b"Content-Length: 3\r\n\r\nabc"),
    "coding with white space": (
        POST + b"Transfer-Encoding: \tchunked \r\n\r\n" + LAST,
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + LAST,
    ),
    "coding in capitals": (
        POST + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n1\r\na\r\n" + LAST,
        POST + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n1\r\na\r\n" + LAST,
    ),
    "many zeros in a size": (CHUNKED + b"00000000000001\r\na\r\n" + LAST, CHUNKED + b"1\r\na\r\n" + LAST),
    "many zeros in the last": (CHUNKED + b"0000\r\n\r\n", CHUNKED + LAST),
    "extension": (CHUNKED + b'1;a=b;c="d;\\"e"\r\na\r\n0;x\r\n\r\n', CHUNKED + b"1\r\na\r\n" + LAST),
    "trailer": (CHUNKED + LAST[:3] + b"X: a\r\n\r\n", CHUNKED + LAST[:3] + b"X: a\r\n\r\n"),
    "trailer that would frame": (CHUNKED + LAST[:3] + LENGTH + b"\r\n", CHUNKED + LAST),
    "empty line before": (b"\r\n" + POST + b"Content-Length: 1\r\n\r\na", POST + b"Content-Length: 1\r\n\r\na"),
    "connection names the length": (
        POST + LENGTH + b"Connection: content-length\r\n\r\n" + SMUGGLED,
        POST + LENGTH + b"\r\n" + SMUGGLED,
    ),
    "GET with a body": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\na",
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\na",
    ),
    "empty host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
}
"""The model server must get exactly these requests, and nothing after them."""
