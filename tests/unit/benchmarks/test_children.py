"""The cost of a program includes its child processes, whichever of its threads has started them."""

import os
import sys

from benchmarks.children import Program
from tests.support.ports import free_port

PROGRAM = """
import socket, subprocess, sys, threading
started = threading.Event()
def start_child():
    subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    started.set()
    threading.Event().wait()
threading.Thread(target=start_child, daemon=True).start()
started.wait()
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()
"""


def test_a_child_of_a_thread_is_counted() -> None:
    """The kernel lists it beside that thread, and not beside the main thread."""
    port = free_port()

    with Program([sys.executable, "-c", PROGRAM, str(port)], port, frozenset(os.sched_getaffinity(0))) as program:
        pids, megabytes, all_megabytes = program.pids(), program.private_megabytes(), program.memory()

    assert len(pids) == 2
    assert 0 < megabytes < all_megabytes


def test_a_program_that_has_ended_uses_nothing() -> None:
    """A process may end between two looks, which is no error."""
    with Program([sys.executable, "-c", ""]) as program:
        program.process.wait()

        assert (program.pids(), program.private_megabytes()) == ([program.process.pid], 0.0)
