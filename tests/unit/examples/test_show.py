"""The output of the demo."""

import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from examples.demo import show
from examples.demo.gauges import Feature, Gauges, Outcomes
from examples.demo.outage import Outage
from examples.demo.ports import Ports
from examples.demo.stage import Addresses, Options

PH = Feature("ph", 0.059, 0.217, 0.0, 7.0157, drift=False)
SULFUR = Feature("total_sulfur_dioxide", 0.021, 0.217, 0.0, 7.0157, drift=False)
QUALITY = Feature("quality", 0.9, 0.95, 0.0, 7.0157, drift=False)
BEFORE = Gauges(
    features=(PH, SULFUR),
    predictions=(QUALITY,),
    drift=False,
    window_rows=599,
    newest_at=1.0,
    rows=599,
    requests=75,
    errors=0,
    lost=0,
    lost_requests=0,
    latency=((0.01, 50), (math.inf, 100)),
    outcomes=Outcomes("ok", "cannot_tell", 0.484, 0.496, 1200, 1.0),
)
AFTER = replace(
    BEFORE,
    features=(
        replace(PH, statistic=0.441, evidence=9.057, drift=True),
        replace(SULFUR, statistic=0.79, evidence=9.057, drift=True),
    ),
    drift=True,
)

STAGE = Addresses(
    "http://127.0.0.1:60002", "http://127.0.0.1:60001", "http://127.0.0.1:60000", "http://127.0.0.1:60004/labels?a=b"
)


@pytest.fixture
def page() -> io.StringIO:
    """The output of the screen."""
    return io.StringIO()


@pytest.fixture
def screen(page: io.StringIO) -> show.Screen:
    """A screen of 80 columns that is not a terminal."""
    return show.Screen(Console(file=page, width=80))


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("redis", [False, True])
@pytest.mark.parametrize("logger", [False, True])
def test_no_line_is_longer_than_a_terminal(*, keep: bool, redis: bool, logger: bool) -> None:
    """What is said before and after the traffic is not wrapped at 80 columns, with any options."""
    narrow, wide = io.StringIO(), io.StringIO()
    options = Options(keep=keep, redis=redis, logger=logger, ports=Ports(60000))

    for page, width in ((narrow, 80), (wide, 200)):
        screen = show.Screen(Console(file=page, width=width))
        screen.opening(options)
        screen.stage(STAGE)
        screen.labels()
        screen.change()
        screen.outcomes(BEFORE, "No change.")
        screen.closing([])
        screen.hint(STAGE, options)

    assert wide.getvalue() == narrow.getvalue()


def test_the_page_is_the_first_address(screen: show.Screen, page: io.StringIO) -> None:
    """The page is named first, with what to do with its address."""
    screen.stage(STAGE)

    assert "Open http://127.0.0.1:60000/ in a browser to watch." == page.getvalue().splitlines()[0]


def test_table_has_the_largest_distance_first(screen: show.Screen, page: io.StringIO) -> None:
    """Each feature has one line with both verdicts, not wrapped at 80 columns, then each prediction."""
    screen.gauges(BEFORE, AFTER)

    lines = [line.split() for line in page.getvalue().splitlines() if "->" in line]
    assert [
        ["total_sulfur_dioxide", "0.021", "0.790", "0.217", "0.0", "9.1", "7.0", "ok", "->", "drift"],
        ["ph", "0.059", "0.441", "0.217", "0.0", "9.1", "7.0", "ok", "->", "drift"],
        ["prediction", "quality", "0.900", "0.900", "0.950", "0.0", "0.0", "7.0", "ok", "->", "ok"],
    ] == lines


def test_request_metrics_have_their_names(screen: show.Screen, page: io.StringIO) -> None:
    """Requests, errors, latency and rows have the names of their metrics."""
    screen.gauges(BEFORE, AFTER)

    assert [
        "request_count            75",
        "request_error_count      0",
        "request_latency_seconds  p50 10.0 ms, p99 10.0 ms",
        "driftgauge_rows_total    599",
    ] == page.getvalue().splitlines()[-4:]


def test_unknown_latency_is_printed(screen: show.Screen, page: io.StringIO) -> None:
    """Without a latency the output says "unknown"."""
    screen.gauges(BEFORE, replace(AFTER, latency=()))

    assert "p50 unknown, p99 unknown" in page.getvalue()


def test_the_batch_is_explained_in_two_lines(screen: show.Screen, page: io.StringIO) -> None:
    """No line is wrapped at 80 columns."""
    screen.batch(250)

    assert [
        "  250 strong red wines came in one request. They are alike, and count as a few:",
        "  one request alone raises no alarm.",
    ] == page.getvalue().splitlines()


def test_drift_is_printed_with_its_sentence(screen: show.Screen, page: io.StringIO) -> None:
    """It says after how many wines drift was seen; without drift it says nothing."""
    screen.drift(None, "No drift in 2 features.")
    screen.drift(160, "Drift in 2 of 2 features; ph moved most (D 0.44).")

    assert [
        "  Drift was found after at most 160 white wines:",
        "  Drift in 2 of 2 features; ph moved most (D 0.44).",
    ] == page.getvalue().splitlines()


def test_outage_is_explained_in_four_lines(screen: show.Screen, page: io.StringIO) -> None:
    """Each line is a plain sentence, and none is wrapped at 80 columns."""
    screen.outage(Outage(away_seconds=0.94, back_seconds=12.5, calls=1_042, drift=True), 1_000)

    assert [
        "  Half-way, Redis was killed. It started again, empty, 0.9 s later.",
        "  No request failed: 1042 were sent meanwhile, and each got its response.",
        "  1000 wines could not be stored, and all of them are counted as dropped.",
        "  The verdict was back 12.5 s after Redis: drift.",
    ] == page.getvalue().splitlines()


def test_verdict_is_a_phrase() -> None:
    """The verdict is a phrase of a few words."""
    assert "2 of 2 features, 0 of 1 predictions drift" == show.verdict(AFTER)
    assert "0 of 2 features, 0 of 1 predictions drift" == show.verdict(BEFORE)
    assert "too few rows for a verdict" == show.verdict(replace(BEFORE, drift=None, features=()))


def test_faults_are_shown_whole(screen: show.Screen, page: io.StringIO) -> None:
    """Each fault is one line, also a long one, and the sentence of success is not printed."""
    long = "word " * 40 + "[end]"

    screen.closing(["One thing.", long])

    assert ["One thing.", long] == page.getvalue().splitlines()


def test_progress_shows_the_newest_verdict(screen: show.Screen, page: io.StringIO) -> None:
    """At the end of a part its progress is complete and shows the newest verdict."""
    with screen.progress("white wines", 1000) as progress:
        progress.update(1000, AFTER)

    assert "white wines" in page.getvalue()
    assert "1000/1000 2 of 2 features, 0 of 1 predictions drift" in page.getvalue()


def test_errors_are_printed_beside_those_of_the_reference(screen: show.Screen, page: io.StringIO) -> None:
    """Both have two digits, and the sentence of `/drift` follows."""
    screen.outcomes(BEFORE, "Labels are as in the reference.")

    assert [
        "  The model's mean error is 0.48 grades, on the reference 0.50.",
        "  Labels are as in the reference.",
    ] == page.getvalue().splitlines()


def test_verdicts_on_labelled_predictions_are_a_phrase(screen: show.Screen, page: io.StringIO) -> None:
    """Both states are named, in words; without one it says that it cannot tell."""
    with screen.progress("graded reds", 1200) as progress:
        progress.update_outcomes(1200, BEFORE)

    assert "1200/1200 performance ok, concept cannot tell" in page.getvalue()
    assert "performance cannot tell, concept cannot tell" == show.outcome_verdicts(Outcomes("", "", 0.0, 0.0, 0, 0.0))
