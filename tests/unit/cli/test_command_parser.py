"""Wrong arguments: the usage of the command that was given, and the option that was meant."""

import pytest

from driftgauge.cli.main import run


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    """The first and the last line of the error of a command line that must have one."""
    with pytest.raises(SystemExit) as caught:
        run(words)
    assert 2 == caught.value.code
    lines = capsys.readouterr().err.splitlines()
    return lines[0], lines[-1]


@pytest.mark.parametrize(
    ("line", "usage", "sentence"),
    [
        ("", "driftgauge [-h]", "driftgauge: error: the following arguments are required: COMMAND"),
        (
            "--verson",
            "driftgauge [-h]",
            "driftgauge: error: unrecognized arguments: --verson (did you mean --version?)",
        ),
        ("check", "driftgauge check", "the following arguments are required: REFERENCE, WINDOW"),
        (
            "check a b --formt",
            "driftgauge check",
            "check: error: unrecognized arguments: --formt (did you mean --format?)",
        ),
        ("check a b c --zzz", "driftgauge check", "unrecognized arguments: c, --zzz"),
        ("options --formt", "driftgauge options", "--formt (did you mean --format?)"),
        (
            "proxy --port",
            "driftgauge proxy [--help] [--config FILE] [--OPTION VALUE ...]",
            "--port: expected one argument",
        ),
        ("reference", "driftgauge reference [-h] ACTION", "the following arguments are required: ACTION"),
        ("reference show a --orderd", "driftgauge reference show", "--orderd (did you mean --ordered?)"),
    ],
)
def test_an_error_shows_the_usage_of_its_own_command(
    capsys: pytest.CaptureFixture[str], line: str, usage: str, sentence: str
) -> None:
    """The first line is the usage of the command, the last one says what is wrong and what was meant."""
    first, last = error_of(capsys, *line.split())

    assert first.startswith(f"usage: {usage}")
    assert last.endswith(sentence)


@pytest.mark.parametrize("command", ["doctor", "options", "check a b", "reference show a", "healthcheck"])
@pytest.mark.parametrize("flag", ["--redis-pasword hunter2", "--redis-password=hunter2", "--zzz hunter2"])
def test_the_value_of_an_unknown_flag_is_not_shown(capsys: pytest.CaptureFixture[str], command: str, flag: str) -> None:
    """It may be a password; the sentence of such a flag names the variable."""
    _, last = error_of(capsys, *command.split(), *flag.split())

    assert "hunter2" not in last
    assert flag.startswith("--zzz") or last.endswith("can read a flag: set DRIFTGAUGE_REDIS_PASSWORD)")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("ccheck", "check"),
        ("reference biuldd", "build"),
        ("check a b --format=jsn", "json"),
        ("check a b --correction HOLM", "holm"),
    ],
)
def test_an_unknown_choice_comes_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str], line: str, meant: str
) -> None:
    """A command, an action and the value of a flag."""
    _, last = error_of(capsys, *line.split())

    assert last.endswith(f"; did you mean {meant}?")
