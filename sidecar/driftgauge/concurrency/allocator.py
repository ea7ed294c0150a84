"""Settings of glibc's allocator that keep the memory of a process near what it uses. Other C libraries are left alone.

By default each thread that finds the allocator busy gets an arena of its own, and what one arena has freed is of no use
to another. And after the first large array was freed, arrays of up to 32 MiB are no longer mapped by themselves but put
into an arena, whose memory goes back to the system only from its end.

With one arena, and each array from 128 KiB on mapped by itself, a process with 1,000 features kept 155 MB less between
evaluations, but evaluations took a quarter more CPU: each of their many small arrays was mapped again. Therefore only
arrays from 2 MiB on are mapped: few, such as a large model's whole window, and the pieces of memory that hold what
lives long, the columns of a reference and the tests that are prepared for it.

Of free memory at its end the arena keeps 8 MiB. With 64 MiB a process with 1,000 features kept 20 MB more; with 4 MiB a
look at new rows took 7 % more CPU time than with 16.

Nothing calls `malloc_trim`: while it gives free memory back, for 5 to 20 ms, each allocation of the event loop waits,
and so does a request. What is freed at once is mapped by itself instead.

Source:
    mallopt(3).
"""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_MAPPED_BYTES: Final = 2 * 2**20
"""Arrays from this size on go back to the system when they are freed."""

_KEPT_BYTES: Final = 8 * 2**20
"""Free memory at the end of the arena that is kept for the next evaluation."""


def limit_fragmentation() -> bool:
    """Use one arena, and map large arrays by themselves; returns whether the allocator has these settings.

    To be called before the first thread starts.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    settings = {_M_ARENA_MAX: 1, _M_MMAP_THRESHOLD: _MAPPED_BYTES, _M_TRIM_THRESHOLD: _KEPT_BYTES}
    accepted = [mallopt(name, value) == 1 for name, value in settings.items()]
    return all(accepted)
