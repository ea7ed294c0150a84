"""The least rights with which everything works: the rules of an ACL of Redis."""

from typing import Final

PROCESS: Final = {
    "ping": "to check a connection that was idle",
    "scan": "to find the models that have rows, at the start",
    "time": "in scripts",
    "evalsha": "for scripts, which append rows, pair halves and save states",
    "eval": "for scripts that a server does not know yet",
    "xadd": "to append rows",
    "xrevrange": "to append rows after the newest, where their number is unknown",
    "xrange": "to read rows",
    "pexpire": "so that rows and states expire",
    "hset": "for halves that wait",
    "hget": "for halves that wait",
    "hmget": "to number the rows of a writer",
    "hgetall": "to read how many rows each writer has appended",
    "type": "to replace a key of another type",
    "hdel": "for halves that wait",
    "hlen": "for halves that wait",
    "pexpireat": "so that pairs expire",
    "pttl": "so that pairs expire, and to extend a lease",
    "getex": "to load a state",
    "getrange": "to save a state",
    "set": "to save a state, to acquire a lease, to publish a result",
    "get": "to compare the holder of a lease, and to repeat a call of pairs",
    "mget": "to read leases and results",
    "del": "for what was replaced, and for streams that are empty",
}
"""Commands of the process -> what for."""

CLIENT_NAME: Final = {"client|setname": "for `redis_client_name`, unless it is empty"}
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
    commands = [*PROCESS, *CLIENT_NAME, *DOCTOR, *(CLUSTER if cluster else ())]
    return " ".join([*(f"+{command}" for command in commands), KEYS])


def sentinel_rules() -> str:
    """The rules of a user of the Sentinels."""
    return " ".join(f"+{command}" for command in SENTINEL)
