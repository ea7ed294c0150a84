"""What the standard says of the requests in `tests.support.framing`."""

from typing import NamedTuple


class Rule(NamedTuple):
    """What the standard says of some requests.

    Args:
        section: Of the RFC.
        demand: What a server or proxy must, should or may do.
    """

    section: str
    demand: str


_RULES = {
    # the rule, and the words with which the names of its requests begin
    Rule("RFC 9112 6.1", "a length beside chunks ought to be handled as an error; may be refused"): [
        "length and chunks",
        "chunks and length",
    ],
    Rule("RFC 9112 6.1", "chunks in HTTP/1.0 must be handled as faulty framing"): ["chunks in HTTP/1.0"],
    Rule("RFC 9112 6.3", "several or invalid lengths must be refused with 400; a list of equal ones may be accepted"): [
        "two lengths",
        "one length twice",
        "list of lengths",
        "signed length",
        "negative length",
        "hexadecimal length",
        "length with a space",
        "empty length",
        "length with underscore",
        "length beyond",
        "decimal length",
        "NUL before a length",
    ],
    Rule("RFC 9112 6.1", "an unknown coding should get 501; chunked must be the last and occur once"): [
        "chunked twice",
        "chunked and identity",
        "unknown coding",
        "identity",
        "chunked is not last",
        "chunked in quotes",
        "chunked with",
        "xchunked",
        "chunked, empty",
        "empty coding",
    ],
    Rule("RFC 9112 5.1", "white space before the colon must get 400"): [
        "space before the colon",
        "tab before the colon",
    ],
    Rule("RFC 9112 5.2", "a folded line must get 400, or be replaced by spaces"): ["folded"],
    Rule("RFC 9112 2.2", "white space before the first line must be refused or its lines ignored"): [
        "space before the first line"
    ],
    Rule("RFC 9112 2.2", "a bare LF may be read as a line end; a bare CR must be invalid or replaced by a space"): [
        "bare",
        "CR in the request line",
        "last chunk of a bare LF",
        "trailer with a bare LF",
        "empty line of a bare LF before",
    ],
    Rule("RFC 9110 5.5", "a value with CR, LF or NUL must be refused or the byte replaced"): [
        "NUL in a value",
        "DEL in a value",
        "trailer with NUL",
    ],
    Rule("RFC 9110 5.1", "the name of a field is a token"): [
        "NUL in a name",
        "no colon",
        "no name",
        "brackets in a name",
        "UTF-8 in a name",
    ],
    Rule("RFC 9112 3", "an invalid request line should get 400; white space may be read leniently"): [
        "two spaces",
        "tab for a space",
        "space within the target",
        "space behind the version",
        "no version",
        "no method",
        "beyond ASCII",
    ],
    Rule("RFC 9112 2.3", "HTTP-version is case-sensitive, a digit on each side; another major version may get 505"): [
        "HTTP/",
        "lower case",
        "another protocol",
    ],
    Rule("RFC 9110 9.1", "methods are case-sensitive; an unknown one should get 501"): ["method in lower case"],
    Rule("RFC 9112 2.2", "at least one empty line before the request should be ignored"): [
        "two empty lines before",
        "empty line before",
    ],
    Rule("RFC 9112 3.2", "HTTP/1.1 without exactly one valid Host must get 400"): [
        "no host",
        "two hosts",
        "one host twice",
        "host with",
    ],
    Rule("RFC 9112 7.1", "a chunk is hexadecimal digits, CRLF, that many bytes, CRLF; overflow must be prevented"): [
        "invalid size",
        "empty size",
        "negative size",
        "signed size",
        "size ",
        "nothing behind",
        "more content",
        "CR CR LF",
    ],
    Rule("RFC 9112 7.1.1", "unknown extensions must be ignored; their total ought to be limited"): ["extension"],
    Rule("RFC 9112 7.1.2", "trailers are field lines, and may be dropped or forwarded"): [
        "trailer with a space",
        "trailer that is folded",
        "trailer without a colon",
        "trailer",
    ],
    Rule("RFC 9110 6.5.1", "a trailer that frames or routes must not be merged into the head"): [
        "trailer that would frame"
    ],
    Rule("RFC 9112 6.2", "a valid length is the length of the body"): [
        "length",
        "body that looks like a request",
        "GET with a body",
    ],
    Rule("RFC 9112 5.1", "white space around a value is no part of it"): [
        "length with white space",
        "coding with white space",
    ],
    Rule("RFC 9112 7", "names of codings are case-insensitive"): ["coding in capitals"],
    Rule("RFC 9112 7.1", "leading zeros are valid"): ["many zeros"],
    Rule("RFC 9110 7.6.1", "Connection must not remove fields that are meant for every recipient"): [
        "connection names the length"
    ],
    Rule("RFC 9112 3.2", "the Host may be empty if the target has no authority"): ["empty host"],
}


def rule_of(name: str) -> Rule:
    """The rule whose beginning of the name is the longest."""
    found = [(len(start), rule) for rule, starts in _RULES.items() for start in starts if name.startswith(start)]
    return max(found)[1]
