"""The part of a page on another revision, from what was asked for last."""

from driftgauge.admin.release_view import ReleaseView, compare_command
from driftgauge.cli.arguments import make_parser
from driftgauge.results.latest_comparisons import LatestComparisons, ReleaseComparison
from tests.support.models import WINE

STABLE, CANARY = (WINE._replace(revision=revision) for revision in ("stable", "v2"))


def test_no_other_revision_has_no_part() -> None:
    """Nor have revisions without a name, which cannot be asked for."""
    view = ReleaseView(LatestComparisons(), lambda: 0.0)

    assert view.part(CANARY, []) is None
    assert view.part(CANARY, [""]) is None
    assert view.part(WINE, ["v2"]) is None


def test_another_revision_has_the_command_that_compares_it() -> None:
    """The command line takes it; `stable` is compared with, whichever page is open."""
    view = ReleaseView(LatestComparisons(), lambda: 0.0)
    parts = [view.part(CANARY, ["v1", "stable"]), view.part(STABLE, ["v2"])]
    commands = {part.command for part in parts if part is not None}

    (command,) = commands
    assert command == "driftgauge compare --inference-service wine --namespace cellar --revision v2 --against stable"
    known = make_parser().parse_args(command.split()[1:])
    assert ("wine", "cellar", "v2", "stable") == (
        known.inference_service,
        known.namespace,
        known.revision,
        known.against,
    )


def test_names_are_quoted_for_the_shell() -> None:
    """A reader copies the command; a model's own name and another component are flags of it."""
    model = WINE._replace(component="transformer", model_name="a b", revision="v2; rm -r x")
    command = compare_command(model, ["v1"])

    assert command.endswith("--component transformer --model 'a b' --revision 'v2; rm -r x' --against v1")


def test_what_was_found_is_shown_with_its_age() -> None:
    """On the pages of both revisions, in whole minutes, although no other revision is evaluated here."""
    latest, now = LatestComparisons(), [1_059.0]
    view = ReleaseView(latest, lambda: now[0])
    latest.publish(ReleaseComparison(CANARY, STABLE, (), 900.0, 1_000.0))
    ages = []
    for time in (1_059.0, 1_060.0, 1_119.0, 1_180.0, 8_200.0):
        now[0] = time
        part = view.part(STABLE, [])
        assert part == view.part(CANARY, ["stable"])
        ages.append("" if part is None else part.age)

    assert ["less than a minute ago", "1 minute ago", "1 minute ago", "3 minutes ago", "2 hours ago"] == ages
