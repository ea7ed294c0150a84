"""The least rights with which everything works: the rules of an ACL of Redis.

A new command belongs here, into the table of docs/security.md, and into tests/support/redis_operations.py.
"""

from typing import Final

PROCESS: Final = {
    "ping": "to check a connection that was idle",
    "scan": "to find the models that have rows, at the start",
    "time": "in scripts",
    "evalsha": "for scripts: rows, pairs, states, leases, results and labels",
    "eval": "for scripts that a server does not know yet",
    "xadd": "to append rows",
    "hmget": "to append rows, and to match labels",
    "type": "to append rows to a stream that another program replaced, or whose counts were lost",
    "xrevrange": "to append rows to a stream whose counts were lost",
    "xrange": "to read rows",
    "hgetall": "to read how many rows each process has written, and what waits for labels",
    "hset": "for counts of rows, halves that wait, and labels",
    "hget": "for halves that wait, and labels",
    "hdel": "for counts of rows, halves that wait, and labels",
    "hlen": "for counts of rows, halves that wait, and labels",
    "zadd": "so that responses wait for labels",
    "zrangebyscore": "to match labels with responses",
    "zpopmax": "so that no more responses wait for labels than may",
    "zrem": "for responses whose id comes again, and labels that were judged",
    "pexpire": "so that rows, states, leases and what waits for labels expire",
    "pexpireat": "so that pairs expire",
    "pttl": "so that pairs expire, to find a lease that never ends, and revisions that are silent",
    "get": "for leases, the results and states that are saved under them, and labels",
    "mget": "to read leases and results",
    "getex": "to load a state",
    "getrange": "to save a state",
    "set": "to save states, leases and results, and for labels",
    "del": "for what was replaced, and for leases that end",
}
"""Commands of the process -> what for."""

CLIENT_NAME: Final = {"client|setname": "for `redis_client_name`, unless it is empty"}
DATABASE: Final = {"select": "for a database in `redis_url` other than 0"}
DOCTOR: Final = {"info": "for `driftgauge doctor` alone, which looks at version and memory"}
CLUSTER: Final = {
    "cluster|slots": "to find the nodes",
    "command": "to find the keys of a command",
    "asking": "while slots move",
}
SENTINEL: Final = {"ping": "to check a connection that was idle", "sentinel|masters": "to find the master"}

KEYS: Final = "~driftgauge:*"
"""The keys of driftgauge."""


def rules(cluster: bool = False) -> str:  # noqa: FBT001, FBT002 - one word at the call
    """The rules of a user of Redis, as ACL SETUSER reads them.

    Args:
        cluster: Whether Redis is a cluster.
    """
    commands = [*PROCESS, *CLIENT_NAME, *DATABASE, *DOCTOR, *(CLUSTER if cluster else ())]
    return " ".join([*(f"+{command}" for command in commands), KEYS])


def sentinel_rules() -> str:
    """The rules of a user of the Sentinels."""
    return " ".join(f"+{command}" for command in SENTINEL)
