"""Metrics of the service in the format of Prometheus.

What belongs here: names, labels and buckets of the metrics. Each service has a registry of its own, so that several can
live in one process.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from finscribe_assets.service.document_reading import DocumentAnswer, ReadBy

SECONDS_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
CONFIDENCE_BUCKETS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class ServiceMetrics:
    """The metrics of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._documents = Counter(
            "finscribe_documents",
            "Requests for a reading by outcome: read, or why not.",
            ["outcome"],
            registry=self.registry,
        )
        self._pages = Counter("finscribe_pages", "Pages of documents that were read.", registry=self.registry)
        self._for_review = Counter(
            "finscribe_documents_for_review", "Documents that a person should look at.", registry=self.registry
        )
        self._broken = Counter(
            "finscribe_documents_with_broken_arithmetic",
            "Documents whose amounts contradict each other.",
            registry=self.registry,
        )
        self._stages = Histogram(
            "finscribe_stage_seconds",
            "Seconds by stage of a document that was read.",
            ["stage"],
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self._confidence = Histogram(
            "finscribe_value_confidence", "Confidence of values.", buckets=CONFIDENCE_BUCKETS, registry=self.registry
        )
        self._accepted = Gauge(
            "finscribe_documents_accepted", "Documents that are uploaded, wait or are read.", registry=self.registry
        )
        self._waiting = Gauge("finscribe_queue_depth", "Documents that wait for a worker.", registry=self.registry)
        self._reader = Gauge(
            "finscribe_reader", "1 for the reader in use.", ["base", "adapter", "batch"], registry=self.registry
        )
        self._reloads = Counter(
            "finscribe_adapter_reloads", "Attempts to load another adapter.", ["result"], registry=self.registry
        )

    def watch(self, accepted: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Have the gauges of the queue ask these functions."""
        self._accepted.set_function(accepted)
        self._waiting.set_function(waiting)

    def count_outcome(self, outcome: str) -> None:
        """Count a request that was answered."""
        self._documents.labels(outcome).inc()

    def count_reading(self, reading: DocumentAnswer) -> None:
        """Count a document that was read."""
        self._pages.inc(len(reading.pages))
        self._for_review.inc(reading.needs_review)
        self._broken.inc(bool(reading.broken_arithmetic))
        for stage, seconds in reading.seconds.model_dump().items():
            self._stages.labels(stage).observe(seconds)
        for value in reading.values:
            if value.confidence is not None:
                self._confidence.observe(value.confidence)

    def set_reader(self, read_by: ReadBy) -> None:
        """Show which reader is in use."""
        self._reader.clear()
        self._reader.labels(read_by.base, read_by.adapter or "", read_by.batch or "").set(1)

    def count_reload(self, loaded: bool, read_by: ReadBy) -> None:
        """Count an attempt to load another adapter."""
        self._reloads.labels("loaded" if loaded else "failed").inc()
        self.set_reader(read_by)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
