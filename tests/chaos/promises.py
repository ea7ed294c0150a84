"""What a replica must show while a fault lasts."""

from tests.chaos.replica import Replica
from tests.chaos.stage import Stage


def says_why(replica: Replica) -> bool:
    """Whether its log speaks of Redis since the mark."""
    return any("Redis" in line for line in replica.log)


def is_down(replica: Replica) -> bool:
    """Whether it shows that some kind of call to Redis fails."""
    return any(not sample.value for sample in replica.metrics().matching("driftgauge_redis_up"))


def has_verdict(replica: Replica) -> bool:
    """Whether it shows a verdict that is not stale."""
    samples = replica.metrics()
    return samples.total("driftgauge_state") > 0 and not samples.total("driftgauge_cannot_tell", reason="store")


def expect_named(stage: Stage) -> None:
    """Every replica shows that Redis fails, and says why."""
    stage.expect(is_down, "driftgauge_redis_up of 0")
    stage.expect(says_why, "log line on Redis")


def expect_named_by_evaluators(stage: Stage) -> None:
    """Of each model some replica shows that Redis fails, and says why: the one that reads windows."""

    def all_named() -> bool:
        return all(any(is_down(one) and says_why(one) for one in group) for group in (stage.loggers, stage.proxies))

    stage.expect(lambda _: all_named(), "evaluator that names the fault", stage.replicas[:1])


def expect_verdicts(stage: Stage) -> None:
    """Every replica still shows a verdict, although no state can be saved."""
    stage.expect(has_verdict, "verdict while no state can be saved")
