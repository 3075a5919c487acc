"""Drift: whether the latest documents of a service differ from earlier ones in confidence, content or looks of pages.

What belongs here: the comparison of a log's latest days with a reference, and its picture. A drift does not say that
values are wrong: it says that the documents, or what the reader makes of them, are no longer those that it was chosen
for, so that a person should look at some of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath
from finscribe_assets.promotion.paired_gain import holm
from finscribe_assets.service.log_files import day_files, read_log

FALSE_ALARMS = 0.01  # probability of any false alarm in one comparison: with one a day, one in a hundred days
LEAST_DISTANCE = 0.2  # of the two distributions; smaller differences are significant in many documents, and no matter
FEWEST_COMPARED = 30  # on either side
_EXACT_UP_TO = 500  # documents of a side; beyond, the asymptotic distribution of the statistic is taken
_PANELS = 6

Features = Mapping[str, float]


@dataclass(frozen=True)
class FeatureDrift:
    """One feature of documents in the reference and in the latest days.

    Attributes:
        feature: name, such as ``confidence.mean`` or ``measures.noise``.
        reference: median of the reference.
        latest: median of the latest days.
        distance: of Kolmogorov and Smirnov: the largest difference of the two cumulative distributions, in [0, 1].
        p: probability of such a distance between samples of one distribution.
        drifted: whether it is significant over all features together (Holm), and at least `LEAST_DISTANCE`.
    """

    feature: str
    reference: float
    latest: float
    distance: float
    p: float
    drifted: bool


@dataclass(frozen=True)
class DriftReport:
    """What a comparison found.

    Attributes:
        reference: what the latest days are compared with, in words.
        first: first of the latest days.
        last: last of them.
        reference_documents: number of different documents.
        latest_documents: the same of the latest days.
        features: compared features, the largest distance first; empty if there are too few documents.
        reader_changed: whether another adapter has read the latest days, which changes confidence by itself.
    """

    reference: str
    first: date
    last: date
    reference_documents: int
    latest_documents: int
    features: tuple[FeatureDrift, ...]
    reader_changed: bool

    @property
    def drifted(self) -> list[FeatureDrift]:
        """Return the features that drifted."""
        return [item for item in self.features if item.drifted]

    @property
    def conclusion(self) -> str:
        """Return the result in one sentence."""
        counts = f"{self.latest_documents} documents of {self.first} to {self.last}, against {self.reference_documents}"
        if not self.features:
            return f"too few documents to compare, {FEWEST_COMPARED} are needed on either side: {counts}"
        named = ", ".join(f"{item.feature} {item.reference:.4g} → {item.latest:.4g}" for item in self.drifted[:_PANELS])
        found = f"{len(self.drifted)} of {len(self.features)} features drifted ({named})" if named else "no drift"
        changed = "; another adapter has read them" if self.reader_changed else ""
        return f"{found} in {counts}{changed}"

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "conclusion": self.conclusion,
            "drifted": [item.feature for item in self.drifted],
            **asdict(self),
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
        }


@dataclass(frozen=True)
class DriftData:
    """The documents that a report compares, by feature, and the log by day."""

    report: DriftReport
    reference: Mapping[str, np.ndarray]
    latest: Mapping[str, np.ndarray]
    by_day: Sequence[tuple[date, int, float, float]]  # day, documents, mean confidence, share that needs review


def features_of(reading: Mapping[str, Any]) -> dict[str, float]:
    """Return the features of a line of the log."""
    confidence = list(reading["confidence"].values())
    features = {"values": float(reading["values"]), "pages": float(reading["pages"])}
    features["broken_rules"] = float(len(reading["broken_rules"]))
    if confidence:
        features |= {"confidence.mean": float(np.mean(confidence)), "confidence.lowest": min(confidence)}
    return features | {f"measures.{name}": float(value) for name, value in reading["measures"].items()}


def find_drift(log: Path, days: int = 7, reference: Path | None = None) -> DriftData:
    """Compare the latest days of a log with a reference.

    A file that was sent several times counts once on each side.

    Args:
        log: Of `finscribe serve --log`.
        days: Number of latest days; they end with the newest day of the log.
        reference: Another log, or a workspace of real documents, whose pages are measured; the earlier days of the same
            log unless given.

    Raises:
        UserError: A folder is neither a log nor a workspace.
    """
    files = day_files(log)
    if not files:
        raise UserError(f"{log}: no log of readings; `finscribe serve --log {log}` writes one")
    last = files[-1][0]
    first = last - timedelta(days=days - 1)
    latest = _different(read_log(log, first, last))
    earlier: list[Mapping[str, Any]] = []
    if reference is None:
        words = f"the days of {log} before {first}"
        earlier = _different(read_log(log, None, first - timedelta(days=1)))
        known: list[Features] = [features_of(reading) for reading in earlier]
    elif day_files(reference):
        words = f"the log {reference}"
        earlier = _different(read_log(reference))
        known = [features_of(reading) for reading in earlier]
    else:
        words = f"the pages of {reference}"
        known = _measured(reference)
    readers = [{str(reading["read_by"]["adapter"]) for reading in side} for side in (earlier, latest)]
    columns, latest_columns = _columns(known), _columns([features_of(reading) for reading in latest])
    report = DriftReport(
        reference=words,
        first=first,
        last=last,
        reference_documents=len(known),
        latest_documents=len(latest),
        features=tuple(compare_features(columns, latest_columns)),
        reader_changed=bool(earlier) and not readers[1] <= readers[0],
    )
    return DriftData(report, columns, latest_columns, _by_day(log))


def compare_features(reference: Mapping[str, np.ndarray], latest: Mapping[str, np.ndarray]) -> list[FeatureDrift]:
    """Compare the distribution of each feature by the two-sample test of Kolmogorov and Smirnov.

    Args:
        reference: Numbers of documents by feature.
        latest: The same of the latest documents.

    Returns:
        The features that both sides have for `FEWEST_COMPARED`, the largest distance first.
    """
    from scipy.stats import ks_2samp

    found: dict[str, tuple[float, float]] = {}
    for name in sorted(reference.keys() & latest.keys()):
        sides = reference[name], latest[name]
        if min(map(len, sides)) >= FEWEST_COMPARED:
            is_small = max(map(len, sides)) <= _EXACT_UP_TO
            result = ks_2samp(*sides, method="exact" if is_small else "asymp")
            found[name] = float(result.statistic), float(result.pvalue)
    significant = holm({name: p for name, (_, p) in found.items()}, FALSE_ALARMS)
    compared = [
        FeatureDrift(
            name,
            round(float(np.median(reference[name])), 5),
            round(float(np.median(latest[name])), 5),
            round(distance, 4),
            p,
            name in significant and distance >= LEAST_DISTANCE,
        )
        for name, (distance, p) in found.items()
    ]
    return sorted(compared, key=lambda item: (not item.drifted, -item.distance, item.feature))


def _different(readings: Iterable[tuple[date, dict[str, Any]]]) -> list[Mapping[str, Any]]:
    """Return the readings of different files: the last reading of each."""
    return list({reading["content"]: reading for _, reading in readings}.values())


def _columns(rows: Sequence[Features]) -> dict[str, np.ndarray]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row[name] for row in rows if name in row]) for name in names}


def _measured(workspace: AnyPath) -> list[Features]:
    """Measure the pages of a workspace; confidence and content of its documents are not known."""
    from finscribe_assets.measuring.measured_documents import measure_pages
    from finscribe_assets.rendering.page_batch import read_rendered

    if not (workspace / "images").is_dir():
        raise UserError(f"{workspace}: neither a log of `finscribe serve` nor a workspace with pages (images/)")
    documents = ((document.id, document.pages) for document in read_rendered(workspace / "images"))
    return [
        {f"measures.{name}": value for name, value in measure_pages(id_, pages).measures.items()}
        | {"pages": float(len(pages))}
        for id_, pages in documents
    ]


def _by_day(log: Path) -> list[tuple[date, int, float, float]]:
    days: dict[date, list[Mapping[str, Any]]] = {}
    for day, reading in read_log(log):
        days.setdefault(day, []).append(reading)
    rows = []
    for day, readings in sorted(days.items()):
        confidence = [value for reading in readings for value in reading["confidence"].values()]
        mean = float(np.mean(confidence)) if confidence else float("nan")
        rows.append((day, len(readings), mean, float(np.mean([reading["needs_review"] for reading in readings]))))
    return rows


def drift_picture(data: DriftData) -> bytes:
    """Draw a comparison as a PNG: the log by day, and the distributions of the features that differ most."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure

    features = data.report.features[:_PANELS]
    rows = 1 + (len(features) + 1) // 2
    figure = Figure(figsize=(7.6, 2.2 * rows), dpi=90, layout="constrained")
    grid = figure.add_gridspec(rows, 2)
    axes = figure.add_subplot(grid[0, :])
    days = [date2num(row[0]) for row in data.by_day]
    axes.plot(days, [row[2] for row in data.by_day], "o-", label="mean confidence")
    axes.plot(days, [row[3] for row in data.by_day], "s--", label="share for review")
    axes.axvspan(
        date2num(data.report.first), date2num(data.report.last), color="#ffd400", alpha=0.2, label="latest days"
    )
    axes.set_ylim(0, 1.05)
    locator = AutoDateLocator(maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.legend(fontsize=7, loc="lower left")
    for index, item in enumerate(features):
        axes = figure.add_subplot(grid[1 + index // 2, index % 2])
        for side, label in ((data.reference, "reference"), (data.latest, "latest")):
            ordered = np.sort(side[item.feature])
            axes.step(ordered, np.arange(1, len(ordered) + 1) / len(ordered), where="post", label=label)
        axes.set_title(f"{item.feature}: {item.distance:.2f}{' – drifted' if item.drifted else ''}", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.legend(fontsize=7)
    stream = io.BytesIO()
    figure.savefig(stream)
    return stream.getvalue()
