"""What the options say, in the form in which the parts take it."""

from driftgauge.config.options import Config
from driftgauge.drift.budget import Budget, Decision
from driftgauge.drift.rule import Rule
from driftgauge.ingest.pipeline import PipelineSettings
from driftgauge.protocol.missing_words import split_words
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.file_limits import FileLimits
from driftgauge.reference.store import ReferenceStore


def decision_rule(config: Config) -> Rule:
    """The rule of the verdicts."""
    budget = Budget(
        config.false_alarm_interval,
        config.evaluation_interval_seconds,
        config.drift_tolerance,
        config.share_tolerance,
        config.tolerance_beyond_reference,
    )
    uses_budget = config.decision is Decision.BUDGET
    return Rule(config.alpha, config.correction, config.min_rows, budget if uses_budget else None)


def reference_store(config: Config) -> ReferenceStore:
    """The store of the references, still empty."""
    time_rules = TimeRules(config.time_column, config.reference_ordered, config.rhythm_timezone)
    rules = ColumnRules(missing_words=split_words(config.missing_words), time=time_rules)
    return ReferenceStore(config.reference, config.reference_dir, rules, file_limits(config))


def file_limits(config: Config) -> FileLimits:
    """How large the file of a reference may be."""
    return FileLimits(config.max_reference_bytes, config.max_reference_values)


def pipeline_settings(config: Config) -> PipelineSettings:
    """The limits and times of the pipeline."""
    return PipelineSettings(
        queue_payloads=config.queue_payloads,
        queue_bytes=config.queue_bytes,
        queue_seconds=config.queue_seconds,
        max_payload_bytes=config.max_payload_bytes,
        window_rows=config.window_rows,
        flush_interval_seconds=config.flush_interval_seconds,
        sample_ratio=config.sample_ratio,
        max_rows_per_second=config.max_rows_per_second,
        sample_memory_seconds=config.label_ttl_seconds,
    )
