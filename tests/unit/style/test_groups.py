"""How tests are distributed to processes."""

import pytest

from tests.support.groups import group


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/real/test_wheel.py::test_one[a]", "tests/real/test_wheel.py"),
        ("tests/real/test_model_servers.py::test_one", "model servers"),
        ("tests/real/test_compression.py::test_one", "model servers"),
        ("tests/unit/storage/test_redis_cluster.py::test_one", "tests/unit/storage/test_redis_cluster.py"),
        ("tests/unit/style/test_groups.py::test_one[b]", "tests/unit/style/test_groups.py::test_one[b]"),
    ],
)
def test_tests_that_share_a_server_are_a_group(nodeid: str, expected: str) -> None:
    """Tests with a fixture of their module are a group, tests with a model server are one, others are alone."""
    assert expected == group(nodeid)
