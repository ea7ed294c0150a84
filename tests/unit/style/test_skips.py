"""What the test suite does with skipped tests, tried on a small suite."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.long

SUITE = """\
import pytest

def test_one():
    pytest.skip("no redis; `bash .ci/packages` installs it")

def test_two():
    pytest.skip("no redis; `bash .ci/packages` installs it")

def test_three():
    pytest.skip("no kserve; `bash .ci/parts` installs it")
"""

WHOLE_MODULE = """\
import pytest

pytest.importorskip("no_such_module", reason="no such module; `make chart-test` installs it")
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A directory of tests that follows the rules of this one, where tests may skip."""
    monkeypatch.delenv("NO_SKIP", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\naddopts = -p tests.support.skips")
    return pytester


def test_skipped_tests_are_counted_by_reason(suite: pytest.Pytester) -> None:
    """The end of the output has one line for each reason, the most frequent first."""
    suite.makepyfile(SUITE)

    result = suite.runpytest_subprocess()

    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(
        [
            "*skipped tests, and the commands that would run them*",
            "    2 no redis; `bash .ci/packages` installs it",
            "    1 no kserve; `bash .ci/parts` installs it",
        ]
    )


def test_module_counts_once_in_two_processes(suite: pytest.Pytester) -> None:
    """A module that is skipped as a whole is one line and one test, though both processes report it."""
    suite.makepyfile(WHOLE_MODULE)

    result = suite.runpytest_subprocess("-p", "xdist", "-n", "2")

    result.stdout.fnmatch_lines(["    1 no such module; `make chart-test` installs it"])


def test_skip_without_a_command_fails(suite: pytest.Pytester) -> None:
    """A test that skips for a reason without a command is a failure that says so."""
    suite.makepyfile("import pytest\ndef test_one():\n    pytest.skip('no redis')")

    result = suite.runpytest_subprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_one skips without a command in backticks that would run it: no redis"])


@pytest.mark.parametrize("code", [SUITE, WHOLE_MODULE])
def test_nothing_may_skip_with_no_skip(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """With `NO_SKIP=1` a test or a module that skips is a failure with the reason."""
    suite.makepyfile(code)
    monkeypatch.setenv("NO_SKIP", "1")

    result = suite.runpytest_subprocess()

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*may not skip on this machine, but did: no *"])
