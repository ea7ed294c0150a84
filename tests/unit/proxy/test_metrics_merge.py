"""Two pages of metrics are joined into one valid page of classic text, in which the model server's families win."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest

from driftgauge.proxy.metrics_merge import NotClassicTextError, Rest, joined, names_of
from tests.support.pages import PYTHON_SERVER, UNTYPED
from tests.support.scrape import Samples

VALID_PAGES = {
    "empty": "",
    "only a comment": "# anything\n#\n",
    "no end of line": "up 1",
    "blanks around": " # TYPE up gauge\n\tup  1 \n",
    "blank lines": "\n \t\nup 1\n\n",
    "labels in many forms": 'up{} 1\nup{a="b",} 1\nup{ a = "}" , b="," } 1\n',
    "escapes": 'up{a="\\"\\\\\\n"} 1\n',
    "text beyond ASCII": 'up{a="Müller"} 1\n# HELP up Größe\n',
    "numbers": "a 1\na -1.5\na +.5\na 1e+06\na 1E-3\na +Inf\na -Inf\na NaN\na nan\n",
    "timestamps": "up 1 1700000000000\nup 1 -5\n",
    "untyped": "# TYPE up untyped\nup 1\n",
    "a help without text": "# HELP up\n",
}
"""Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details."""

INVALID_PAGES = {
    "JSON": '{"ready":true}',
    "HTML": "<html>",
    "no value": "up\n",
    "a value that is none": "up one\n",
    "digits beyond ASCII": "up \u0661\n",
    "an exemplar": 'up_bucket{le="1"} 1 # {trace_id="x"} 0.5\n',
    "a type of OpenMetrics": "# TYPE up unknown\n",
    "the end of OpenMetrics": "up 1\n# EOF\n",
    "a label without quotes": "up{a=b} 1\n",
    "a label that does not end": 'up{a="b} 1\n',
    "a name that is none": "9up 1\n",
    "carriage returns": "up 1\r\n",
}


@pytest.mark.parametrize("page", VALID_PAGES.values(), ids=VALID_PAGES)
def test_classic_text_is_read(page: str) -> None:
    """Text that the format allows is read, and the client library's parser finds no other sample names."""
    names = names_of(page.encode())

    assert {sample.name for sample in Samples.parse(page)} <= names


@pytest.mark.parametrize("page", INVALID_PAGES.values(), ids=INVALID_PAGES)
def test_text_that_prometheus_rejects_is_refused(page: str) -> None:
    """A line for which Prometheus discards the whole scrape is refused; the error has its number, not its text."""
    with pytest.raises(NotClassicTextError, match=r"^line \d is not of the text format 0\.0\.4$"):
        names_of(page.encode())


def test_bytes_that_are_not_utf8_are_refused() -> None:
    """A page that is not UTF-8 is refused."""
    with pytest.raises(NotClassicTextError, match="not UTF-8"):
        names_of(b'up{a="\xff"} 1\n')


def test_the_names_are_those_of_families_and_of_samples() -> None:
    """The names of a page are those of its families and those of its samples."""
    page = b'# HELP h Text.\n# TYPE h histogram\nh_bucket{le="+Inf"} 0\nh_sum 0\nh_count 0\nlone 1\n'

    assert {"h", "h_bucket", "h_sum", "h_count", "lone"} == names_of(page)


@pytest.fixture
def registry() -> CollectorRegistry:
    """One family of each type."""
    registry = CollectorRegistry()
    Counter("rows_total", "Rows.", registry=registry)
    Gauge("depth", "Depth.", registry=registry)
    Histogram("latency", "Latency.", buckets=(1,), registry=registry)
    Summary("request", "Requests.", registry=registry)
    return registry


@pytest.mark.parametrize(
    ("taken", "left_out"),
    [
        ("unheard_of", []),
        ("rows_total", ["rows"]),
        ("depth", ["depth"]),
        ("latency_bucket", ["latency"]),
        ("request_count", ["request"]),
        ("request", ["request"]),
    ],
)
def test_a_family_is_left_out_for_its_name_or_that_of_a_sample(
    registry: CollectorRegistry, taken: str, left_out: list[str]
) -> None:
    """A family of ours is left out if the model server uses its name or that of one of its samples."""
    rest = Rest(registry.collect(), {taken})

    assert left_out == rest.left_out
    assert 4 - len(left_out) == len(list(rest.collect()))


def test_the_joined_page_has_each_family_once(registry: CollectorRegistry) -> None:
    """The model server's page comes first and unchanged, then one line for each remark, then our families."""
    theirs = PYTHON_SERVER + UNTYPED.rstrip(b"\n")
    page = joined(theirs, generate_latest(Rest(registry.collect(), names_of(theirs))), ["one\n# TYPE two"])
    text = page.decode()

    assert page.startswith(theirs + b"\n# driftgauge: one # TYPE two\n# HELP rows_total Rows.\n")
    assert len(set(typed := [line for line in text.split("\n") if line.startswith("# TYPE")])) == len(typed)
    assert {sample.name for sample in Samples.parse(text)} <= names_of(page)


def test_without_their_page_ours_stands_alone(registry: CollectorRegistry) -> None:
    """Without a page of the model server, the joined page equals ours."""
    ours = generate_latest(registry)

    assert ours == joined(b"", ours, [])
