"""The parts that evaluate labelled predictions, which a process has only if it takes labels."""

from collections.abc import Callable
from typing import final

from driftgauge.admin.label_views import LabelViews
from driftgauge.config.options import Config, tolerance_of_performance
from driftgauge.drift.budget import Budget
from driftgauge.drift.outcomes.outcome_rule import OutcomeRule
from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import ModelKey
from driftgauge.ingest.label_feed import layout_of_columns
from driftgauge.metrics.label_counts import LabelCounts
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.baseline import Baselines
from driftgauge.monitoring.label_evaluator import LabelEvaluator
from driftgauge.monitoring.model_outcomes import ModelOutcomes
from driftgauge.monitoring.outcome_targets import OUTCOME_BASELINES, LabelLayouts, OutcomeTargets
from driftgauge.monitoring.shared_outcomes import SharedOutcomes
from driftgauge.reference.dataset import Reference
from driftgauge.reference.store import ReferenceStore
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_outcomes import LatestOutcomes
from driftgauge.storage.labels import LabelLayout, LabelStore
from driftgauge.storage.ring import RingBuffer
from driftgauge.storage.stream_states import StateStore


@final
class OutcomeParts:
    """Evaluates, shows and shares what labels say about predictions.

    Args:
        config: The options.
        labels: The responses that wait.
        ring: The store of the outcomes.
        states: The store of the detector's states and the baselines.
        references: The mounted datasets.
        outputs: The columns of the models' newest responses.
        metrics: Where results are shown and rows are counted.
        inputs: The results on inputs, for the diagnosis.
        clock: Returns the time of the store in seconds since the epoch.
        stale_seconds: Age in seconds beyond which a result is stale.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        config: Config,
        labels: LabelStore,
        ring: RingBuffer,
        states: StateStore,
        *,
        references: ReferenceStore,
        outputs: OutputColumns,
        metrics: Metrics,
        inputs: LatestEvaluations,
        clock: Callable[[], float],
        stale_seconds: float,
    ) -> None:
        rule = outcome_rule(config)
        self._references = references
        self.latest = LatestOutcomes(stale_seconds, clock)
        self.counts = metrics.watch_outcomes(self.latest)
        self._layouts = LabelLayouts(outputs)
        baseline_rows = min(config.baseline_rows, config.window_rows)
        baselines = Baselines(ring, states, self._layouts, baseline_rows, metrics.count_replaced_key, OUTCOME_BASELINES)
        self._targets = OutcomeTargets(
            references, labels, self._layouts, baselines, self.latest, min_rows=config.min_rows
        )
        self._evaluator = LabelEvaluator(
            ring, states, labels, metrics=metrics, counts=self.counts, rule=rule, clock=clock
        )
        self.models = ModelOutcomes(
            self._evaluator,
            self._targets,
            labels,
            ring,
            self.latest,
            inputs=inputs,
            share_tolerance=rule.budget.share_tolerance,
            window_rows=config.window_rows,
            clock=clock,
        )
        self.sharing = SharedOutcomes(self.latest, metrics.count_unreadable_result)

    def layout(self, model: ModelKey, columns: tuple[str, ...], kinds: tuple[FeatureKind, ...]) -> LabelLayout | None:
        """How outcome rows of a model are made of; `None` if it has no output. Raises nothing."""
        return label_layout(self._references.get(model), columns, kinds)

    def views(self, counts: LabelCounts, waiting: Callable[[ModelKey], tuple[int, int]]) -> LabelViews:
        """Make the views of the admin port.

        Args:
            counts: Has the delays of labels.
            waiting: Returns how many labels of a model wait, as of `LabelViews`.
        """
        return LabelViews(self._evaluator, self._targets, self._layouts, self.latest, counts, waiting)


def outcome_rule(config: Config) -> OutcomeRule:
    """The rule of outcomes: they are decided by the budget, also where inputs are decided by p-values."""
    budget = Budget(
        config.false_alarm_interval,
        config.evaluation_interval_seconds,
        tolerance_of_performance(config),
        config.share_tolerance,
        config.tolerance_beyond_reference,
    )
    return OutcomeRule(config.min_rows, config.window_rows, budget)


def label_layout(
    reference: Reference | None, columns: tuple[str, ...], kinds: tuple[FeatureKind, ...]
) -> LabelLayout | None:
    """How outcome rows of a model are made of whose responses have these columns; `None` if it has no output.

    Args:
        reference: The model's reference, whose labelled outputs are those that labels are taken of. Without any, labels
            of each output are taken, and are of the kind of its predictions.
        columns: Names of the columns of responses.
        kinds: Their kinds.
    """
    labelled = () if reference is None else reference.labelled
    if not labelled:
        return layout_of_columns(columns, kinds)
    return LabelLayout(columns, kinds, tuple(one.name for one in labelled), tuple(one.label_kind for one in labelled))
