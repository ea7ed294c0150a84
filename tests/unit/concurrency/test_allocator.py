"""The allocator takes the settings."""

import subprocess
import sys

_CODE = "from driftgauge.concurrency.allocator import limit_fragmentation; print(limit_fragmentation())"


def test_the_allocator_takes_the_settings() -> None:
    """Glibc accepts each of them. A process of its own sets them, since they cannot be undone."""
    ran = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)

    assert "True\n" == ran.stdout
