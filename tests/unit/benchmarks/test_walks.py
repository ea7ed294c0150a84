"""A walk lists the functions of one folder, each once, and counts every call."""

from pathlib import Path

from benchmarks import walks
from benchmarks.walks import Recorder, Walk


def test_functions_below_the_folder_are_recorded_in_order() -> None:
    """Functions of other folders, and calls after the work, are not."""
    recorder = Recorder(Path(walks.__file__).parent)
    walk = Walk("", ["a.py:f", "b.py:g", "a.py:h"])

    def work() -> None:
        Path("x").with_name("y")
        assert ["a.py", "b.py"] == walk.files
        assert walk.files

    recorder.install()
    try:
        recorded = recorder.record("here", work)
        assert walk.files
    finally:
        recorder.uninstall()

    assert ("here", ["walks.py:Walk.files"]) == (recorded.name, recorded.functions)
    assert 2 <= recorded.calls


def test_a_file_s_walk_is_counted() -> None:
    """The table of the real command has one row for the walk of a file."""
    (walk,) = walks.run_in_a_process("file", "driftgauge")

    assert "file -> sorted columns" == walk.name
    assert "reference/dataset.py" == walk.files[0]
