"""Faults of Redis itself."""

from collections.abc import Callable

from tests.chaos.fault import Fault
from tests.chaos.promises import expect_named, expect_named_by_evaluators, expect_verdicts
from tests.chaos.stage import Settings, Stage
from tests.chaos.stores import Standalone


def _restart(stage: Stage) -> None:
    stage.note_loss()
    stage.standalone.server.kill()
    stage.send_for(3)
    stage.standalone.server.start()
    stage.lift()


def _pause(stage: Stage) -> None:
    stage.standalone.server.pause()
    stage.send_for(10)
    stage.standalone.server.resume()
    stage.lift()


def _flush(stage: Stage) -> None:
    stage.note_loss()
    stage.redis.flushall()
    stage.lift()


def _while_command(
    begin: tuple[str, ...], end: tuple[str, ...], *promises: Callable[[Stage], None]
) -> Callable[[Stage], None]:
    """Send a command, and another one after some traffic and what must show until then."""

    def inflict(stage: Stage) -> None:
        stage.command(*begin)
        stage.send_for(4)
        for expect in promises:
            expect(stage)
        stage.command(*end)
        stage.lift()

    return inflict


def _wrong_password(stage: Stage) -> None:
    stage.command("CONFIG", "SET", "requirepass", "another")
    stage.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    stage.send_for(4)
    expect_named(stage)
    stage.command("CONFIG", "SET", "requirepass", "")
    stage.lift()


FAULTS = (
    Fault("redis-empty", "Redis is killed and starts again, empty, 3 s later", "losses are counted", _restart),
    Fault(
        "redis-aof",
        "Redis is killed and starts again with its append-only file 3 s later",
        "no accepted row is lost",
        _restart,
        Settings(store=lambda: Standalone("--appendonly", "yes")),
    ),
    Fault("redis-pause", "SIGSTOP of Redis for 10 s", "losses are counted", _pause),
    Fault("flushall", "FLUSHALL", "counters still add up", _flush, is_quick=True),
    Fault(
        "out-of-memory",
        "Redis is out of memory (noeviction) for 4 s",
        "losses are counted, verdicts go on",
        _while_command(
            ("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"), expect_named, expect_verdicts
        ),
    ),
    Fault(
        "read-only",
        "Redis becomes a read-only replica for 4 s",
        "losses are counted, verdicts go on",
        _while_command(("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), expect_named, expect_verdicts),
    ),
    Fault("wrong-password", "the password of Redis changes for 4 s", "losses are counted, said once", _wrong_password),
    Fault(
        "no-xadd",
        "the ACL user may not XADD for 4 s",
        "losses are counted, said once",
        _while_command(
            ("ACL", "SETUSER", "default", "-xadd"),
            ("ACL", "SETUSER", "default", "+xadd"),
            expect_named,
            expect_verdicts,
        ),
    ),
    Fault(
        "no-xrange",
        "the ACL user may not XRANGE for 4 s",
        "rows are accepted, verdicts are stale and say so",
        _while_command(
            ("ACL", "SETUSER", "default", "-xrange"),
            ("ACL", "SETUSER", "default", "+xrange"),
            expect_named_by_evaluators,
        ),
    ),
    Fault(
        "no-scripts",
        "the ACL user may run no script for 4 s",
        "losses are counted, said once",
        _while_command(
            ("ACL", "SETUSER", "default", "-@scripting"), ("ACL", "SETUSER", "default", "+@scripting"), expect_named
        ),
    ),
)
