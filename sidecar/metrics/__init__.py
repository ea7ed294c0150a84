"""What Prometheus scrapes: every metric family has its name here, on one registry that is made by hand."""

from sidecar.metrics.drift import DriftGauges
from sidecar.metrics.evaluation import Evaluation, ReferenceFacts
from sidecar.metrics.metrics import Metrics
from sidecar.metrics.model import ModelMetrics
from sidecar.metrics.scrape import Scrape, scraper

__all__ = ["DriftGauges", "Evaluation", "Metrics", "ModelMetrics", "ReferenceFacts", "Scrape", "scraper"]
