"""Targets are read in origin-form, whatever form they were sent in, and all others are refused."""

import pytest

from driftgauge.http1.grammar import RefusedError
from driftgauge.http1.head_cache import HeadCache
from driftgauge.http1.head_parser import read_request
from driftgauge.http1.request_target import read_target
from driftgauge.http1.writing import request_head


@pytest.mark.parametrize(
    ("method", "target", "path", "authority"),
    [
        (b"GET", b"/", b"/", None),
        (b"GET", b"/a%20b?c=http://d@e", b"/a%20b?c=http://d@e", None),
        (b"GET", b"//other/path", b"//other/path", None),
        (b"OPTIONS", b"*", b"*", None),
        (b"GET", b"http://other/path?query", b"/path?query", b"other"),
        (b"GET", b"HTTP://other:81", b"/", b"other:81"),
        (b"GET", b"http://other?query", b"/?query", b"other"),
        (b"GET", b"http://[::1]:80/", b"/", b"[::1]:80"),
        (b"GET", b"http://other/a@b", b"/a@b", b"other"),
        (b"OPTIONS", b"http://other:81", b"*", b"other:81"),
        (b"OPTIONS", b"http://other/", b"/", b"other"),
    ],
)
def test_target(method: bytes, target: bytes, path: bytes, authority: bytes | None) -> None:
    """A path is kept as it is; an absolute-form gives its path and its authority."""
    assert (path, authority) == read_target(method, target)


REFUSED = {
    "fragment": b"/path#fragment",
    "fragment of a URL": b"http://other/#fragment",
    "userinfo": b"http://user:secret@other/",
    "user without a name": b"http://@other/",
    "https": b"https://other/",
    "file": b"file:///etc/passwd",
    "no host": b"http:///path",
    "only a port": b"http://:80/",
    "port that is no number": b"http://other:8a/",
    "two ports": b"http://other:80:81/",
    "one slash": b"http:/other/",
    "relative": b"path",
    "query alone": b"?query",
    "authority": b"other:80",
    "asterisk and more": b"*/path",
}


@pytest.mark.parametrize("target", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"OPTIONS"])
def test_other_targets_are_refused(method: bytes, target: bytes) -> None:
    """A target of another form, with userinfo, a fragment or another scheme is refused with 400."""
    with pytest.raises(RefusedError) as caught:
        read_request(b"%b %b HTTP/1.1\r\nHost: m\r\n\r\n" % (method, target))

    assert 400 == caught.value.status


@pytest.mark.parametrize("method", [b"GET", b"POST", b"HEAD"])
def test_asterisk_is_only_for_options(method: bytes) -> None:
    """The target `*` is refused for every method but OPTIONS."""
    with pytest.raises(RefusedError):
        read_request(b"%b * HTTP/1.1\r\nHost: m\r\n\r\n" % method)


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize(
    ("sent", "forwarded"),
    [
        (
            b"POST http://other:81/v1?x HTTP/1.1\r\nX-A: 1\r\nhost: m\r\nX-Request-Id: 7\r\n\r\n",
            b"POST /v1?x HTTP/1.1\r\nX-A: 1\r\nhost: other:81\r\nX-Request-Id: 7\r\n\r\n",
        ),
        (b"GET http://other HTTP/1.0\r\nX-A: 1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: other\r\nX-A: 1\r\n\r\n"),
        (b"OPTIONS http://other HTTP/1.1\r\nHost: m\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: other\r\n\r\n"),
    ],
)
def test_absolute_form_is_forwarded_in_origin_form(sent: bytes, forwarded: bytes, *, cached: bool) -> None:
    """The model server gets the path, and the authority as the `Host` in place of the one that was sent."""
    read = HeadCache(read_request) if cached else read_request
    read(sent)
    head = read(sent)
    names = [line.partition(b":")[0] for line in sent.split(b"\r\n")[1:-2]]

    assert sorted(forwarded.split(b"\r\n")) == sorted(request_head(head, "model:80").split(b"\r\n"))
    assert head.fields[b"host"] in forwarded
    assert len(head.lines) == len(names) + (b"HTTP/1.0" in sent)


def test_absolute_form_does_not_replace_a_missing_host() -> None:
    """HTTP/1.1 requires a `Host` also beside an absolute-form (RFC 9112 section 3.2.2)."""
    with pytest.raises(RefusedError):
        read_request(b"GET http://other/ HTTP/1.1\r\n\r\n")
