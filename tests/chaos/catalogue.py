"""All faults, in the order of the table."""

from tests.chaos.faults import foreign_keys, models, processes, redis, replicated, wire

FAULTS = (
    *processes.FAULTS,
    *redis.FAULTS,
    *foreign_keys.FAULTS,
    *wire.FAULTS,
    *models.FAULTS,
    *replicated.FAULTS,
)
